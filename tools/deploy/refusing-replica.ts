import { EmbedError } from "../../src/errors.ts";
import { toConnectError } from "../../src/service/to-connect-error.ts";
import { type OddReplica, serveExecute } from "./serve-execute.ts";

/** A replica that is healthy and refuses each second call. */
export interface RefusingReplica extends OddReplica {
  /** Calls so far, those that were refused included. */
  calls(): number;
}

/** A refusal is UNAVAILABLE, before any message. */
export async function serveRefusals(host: string): Promise<RefusingReplica> {
  let calls = 0;
  const replica = await serveExecute(host, ({ datas }) => {
    calls += 1;
    if (calls % 2 === 0) return { nums: BigInt(datas.length) };
    throw toConnectError(new EmbedError("SHUTTING_DOWN", "the server stops; call another one"));
  });
  return { ...replica, calls: () => calls };
}
