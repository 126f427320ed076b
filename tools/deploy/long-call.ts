import { readFile } from "node:fs/promises";
import { createClient, type Transport } from "@connectrpc/connect";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import type { Replica } from "./replica.ts";
import { type Stack, until } from "./stack.ts";

const longCallPictures = 20;

/** What became of one long call whose replica was lost while it worked on it. */
export interface LongCall {
  readonly requestBytes: number;
  readonly vectors: number;
  readonly wrong: number;
}

/**
 * One call of photographs, so that its body is longer than what Envoy keeps by default, and whose replica is lost.
 * @param lose is given the replica that works on the call
 */
export async function loseUnderLongCall(
  { replicas }: Stack,
  transport: Transport,
  lose: (busy: Replica) => Promise<unknown>,
): Promise<LongCall> {
  const photographs = await Promise.all(
    ["nagasaki-boats", "allium-oreophilum", "locomotion-house-cat"].map((name) =>
      readFile(`fixtures/images/photo/${name}.jpg`, "base64"),
    ),
  );
  const client = createClient(Operator, transport);
  const expected = await client.execute({ datas: photographs });
  const bitsOf = (element: readonly number[]) =>
    Buffer.from(Float32Array.from(element).buffer).toString("hex");
  const wanted = expected.vectors.map(({ element }) => bitsOf(element));
  const datas = Array.from(
    { length: longCallPictures },
    (_, index) => photographs[index % photographs.length]!,
  );
  const call = client.execute({ datas });
  // Its failure is told below; until then it is nobody's.
  call.catch(() => undefined);
  let busy: Replica | undefined;
  await until("the long call at a replica", async () => {
    const queued = await Promise.all(replicas.map((replica) => replica.readQueued()));
    busy = replicas[queued.findIndex((items) => items > 0)];
    return busy !== undefined;
  });
  await lose(busy!);
  const { vectors } = await call;
  return {
    requestBytes: datas.reduce((sum, data) => sum + data.length, 0),
    vectors: vectors.length,
    wrong: vectors.filter(({ element }, index) => bitsOf(element) !== wanted[index % wanted.length]).length,
  };
}
