import type { ServiceImpl } from "@connectrpc/connect";
import { decodeBase64 } from "../embed/decode-base64.ts";
import type { FetchBytes } from "../embed/host.ts";
import { EmbedError } from "../errors.ts";
import type { Operator } from "../gen/omnisearch/operator_pb.ts";
import { batchError, embedBatch } from "./embed-batch.ts";
import { describeVectors, type ServedModel } from "./served-model.ts";
import { toConnectError } from "./to-connect-error.ts";

export interface OperatorOptions {
  readonly model: ServedModel;
  /** Echoed in Identity: host:port under which callers know this operator. */
  readonly endpoint: () => string;
  readonly fetchBytes: FetchBytes;
  /** Why it is not ready, if it is not: the server stops. */
  readonly isStopping: () => boolean;
}

/**
 * `omnisearch.Operator` for an encoder, over an `Embedder`.
 * A call of Execute gives one vector per input, in order, or fails naming every bad index.
 */
export function createOperator(options: OperatorOptions): ServiceImpl<typeof Operator> {
  const { model } = options;
  const { identity } = model.manifest;
  const { maxImageBytes } = model.limits;

  /** After a detector Phantoscope sends both lists, and `urls` is then a list of empty strings. */
  async function execute(urls: readonly string[], datas: string[], signal: AbortSignal) {
    const list = datas.length > 0 ? "datas" : "urls";
    const batch =
      list === "datas"
        ? datas.map((_, index) => async () => {
            const data = datas[index] as string;
            // Its text is let go as soon as it is bytes: a request may hold a hundred megabytes of it.
            datas[index] = "";
            return decodeBase64(data, maxImageBytes);
          })
        : urls.map((url) => () => options.fetchBytes(url, { signal }));
    const results = await embedBatch(model, batch, { list, signal, failsAsOne: true });
    const error = batchError(results, list);
    if (error) throw error;
    return results.flatMap((result) => (result.ok ? [{ element: Array.from(result.vector) }] : []));
  }

  return {
    async execute(request, context) {
      try {
        const vectors = await execute(request.urls, request.datas, context.signal);
        describeVectors(context.responseHeader, model);
        return { nums: BigInt(vectors.length), vectors };
      } catch (error) {
        throw toConnectError(EmbedError.from(error));
      }
    },
    healthy() {
      if (model.embedder.isReady()) return { healthy: "healthy" };
      throw toConnectError(
        options.isStopping()
          ? new EmbedError("SHUTTING_DOWN", "the server stops; call another one")
          : new EmbedError("NOT_READY", "the model is not ready to embed yet"),
      );
    },
    identity(_request, context) {
      describeVectors(context.responseHeader, model);
      return { ...identity, endpoint: options.endpoint(), dimension: String(identity.dimension) };
    },
  };
}
