import type { Embedding } from "../embed/embedder.ts";
import { embeddingWork } from "./embedding-work.ts";
import type { OperatorKind } from "./operator-kind.ts";
import { describeVectors, type ServedModel } from "./served-model.ts";

/** An operator of type `encoder`: one vector for each input, and no metadata. */
export function encoderKind(model: ServedModel): OperatorKind<Embedding> {
  const { identity } = model.manifest;
  const work = embeddingWork(model);
  return {
    ...work,
    get concurrency() {
      return work.concurrency;
    },
    identity: { ...identity, dimension: String(identity.dimension) },
    maxImageBytes: model.limits.maxImageBytes,
    isReady: () => model.embedder.isReady(),
    notReady: "the model is not ready to embed yet",
    toReply: (made) => ({
      nums: BigInt(made.length),
      vectors: made.map(({ vector }) => ({ element: Array.from(vector) })),
    }),
    describe: (headers) => describeVectors(headers, model),
  };
}
