import { createGuardedHandler } from "../../src/node/http/guarded-handler.ts";
import { defaultHttpLimits } from "../../src/node/http/http-limits.ts";
import type { HttpHandler, HttpLog } from "../../src/node/http/http-types.ts";
import type { BoundAddress } from "../../src/node/http/listen-on.ts";
import { createOnePortServer } from "../../src/node/http/one-port-server.ts";
import type { ConformanceRegistry } from "./conformance-registry.ts";
import { conformanceContextValues, conformanceRoutes } from "./conformance-service.ts";

export interface ConformanceServer extends BoundAddress {
  close(): Promise<void>;
}

/**
 * The suite's service on our port and behind our guard, with the limits that users get, on a free port of
 * 127.0.0.1. What it logs goes to stderr.
 * @param receiveLimitBytes largest request message; 0: the largest of all our limits
 * @param holdMs a request waits so long before the guard sees it, if it is still there
 */
export async function startConformanceServer(
  known: ConformanceRegistry,
  receiveLimitBytes: number,
  holdMs = 0,
): Promise<ConformanceServer> {
  // An RPC that has no row of its own takes small requests only.
  const limits = { smallRequestMaxBytes: receiveLimitBytes || defaultHttpLimits.messageMaxBytes };
  const log: HttpLog = (level, message, { error }) => console.error(`${level}: ${message}`, error ?? "");
  const guarded = createGuardedHandler({
    routes: conformanceRoutes(known),
    log,
    limits,
    contextValues: conformanceContextValues,
  });
  const hold: HttpHandler = (request, response) => {
    setTimeout(() => {
      const isGone = "stream" in request ? request.stream.destroyed : request.destroyed;
      if (!isGone) guarded(request, response);
    }, holdMs);
  };
  const handler = holdMs === 0 ? guarded : hold;
  const server = createOnePortServer({ handler, log, limits });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  return { ...address, close: () => server.close({ graceMs: 0 }) };
}
