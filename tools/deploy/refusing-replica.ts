import { EmbedError } from "../../src/errors.ts";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { createGuardedHandler } from "../../src/node/http/guarded-handler.ts";
import { createOnePortServer } from "../../src/node/http/one-port-server.ts";
import { toConnectError } from "../../src/service/to-connect-error.ts";

/** A replica that is healthy and refuses each second call. */
export interface RefusingReplica {
  readonly port: number;
  /** Calls so far, those that were refused included. */
  calls(): number;
  close(): Promise<void>;
}

/** Portico's own front, so that a refusal looks as Portico's does: UNAVAILABLE, before any message. */
export async function serveRefusals(host: string): Promise<RefusingReplica> {
  let calls = 0;
  const log = (_level: string, message: string) => console.error(message);
  const answerCall = createGuardedHandler({
    log,
    routes: (router) => {
      router.service(Operator, {
        execute({ datas }) {
          calls += 1;
          if (calls % 2 === 0) return { nums: BigInt(datas.length) };
          throw toConnectError(new EmbedError("SHUTTING_DOWN", "the server stops; call another one"));
        },
      });
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
  return { port, calls: () => calls, close: () => server.close({ graceMs: 0 }) };
}
