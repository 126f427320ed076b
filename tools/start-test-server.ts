import type { ConnectRouter } from "@connectrpc/connect";
import type { TlsMaterial } from "../src/node/access/tls-files.ts";
import { createGuardedHandler, type GuardedHandlerOptions } from "../src/node/http/guarded-handler.ts";
import type { HttpLimits } from "../src/node/http/http-limits.ts";
import { createOnePortServer, type OnePortServer } from "../src/node/http/one-port-server.ts";

export interface TestServer {
  readonly port: number;
  readonly url: string;
  readonly server: OnePortServer;
  /** What the server logged: level, message and the text of the error if there was one. */
  readonly logged: string[];
}

/** The real server on a free port of 127.0.0.1, with routes of the test's own. */
export async function startTestServer(
  routes: (router: ConnectRouter) => void,
  limits: Partial<HttpLimits> = {},
  more: Partial<GuardedHandlerOptions> = {},
  tls?: TlsMaterial,
): Promise<TestServer> {
  const logged: string[] = [];
  const log = (level: string, message: string, fields: Readonly<Record<string, unknown>>) => {
    const { error } = fields;
    logged.push(`${level}: ${message}${error instanceof Error ? `: ${error.message}` : ""}`);
  };
  const handler = createGuardedHandler({ ...more, routes, log, limits });
  const server = createOnePortServer({ handler, log, limits, ...(tls && { tls }) });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { port, url: `${tls ? "https" : "http"}://127.0.0.1:${port}`, server, logged };
}
