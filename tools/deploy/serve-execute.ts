import type { ServiceImpl } from "@connectrpc/connect";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { createGuardedHandler } from "../../src/node/http/guarded-handler.ts";
import { createOnePortServer } from "../../src/node/http/one-port-server.ts";

export interface OddReplica {
  readonly port: number;
  close(): Promise<void>;
}

/** A healthy replica with an Execute of its own behind Portico's own front, so that its answers look as Portico's do. */
export async function serveExecute(
  host: string,
  execute: ServiceImpl<typeof Operator>["execute"],
): Promise<OddReplica> {
  const log = (_level: string, message: string) => console.error(message);
  const answerCall = createGuardedHandler({
    log,
    routes: (router) => {
      router.service(Operator, { execute });
    },
  });
  const server = createOnePortServer({
    log,
    handler: (request, response) => {
      if (request.url === "/readyz") response.end();
      else answerCall(request, response);
    },
  });
  const { port } = await server.listen({ host, port: 0 });
  return { port, close: () => server.close({ graceMs: 0 }) };
}
