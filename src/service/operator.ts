import type { ServiceImpl } from "@connectrpc/connect";
import { decodeBase64 } from "../embed/decode-base64.ts";
import type { Embedder, EmbedResult } from "../embed/embedder.ts";
import type { FetchBytes } from "../embed/host.ts";
import { mapConcurrently } from "../embed/map-concurrently.ts";
import type { OperatorIdentity } from "../embed/model-manifest.ts";
import { abortError, settleBefore } from "../embed/settle-before.ts";
import { EmbedError, type ItemFailure } from "../errors.ts";
import type { Operator } from "../gen/omnisearch/operator_pb.ts";
import { codeByReason } from "./reason-code.ts";
import { toConnectError } from "./to-connect-error.ts";

export interface OperatorLimits {
  /** Largest number of items in one call. */
  readonly maxItems: number;
  /** Largest encoded picture, in bytes. */
  readonly maxImageBytes: number;
}

/**
 * 1000 items: their failed indexes still fit into the trailers of one gRPC reply.
 * 25 MiB a picture: what a camera makes, with room.
 */
export const defaultOperatorLimits: OperatorLimits = { maxItems: 1000, maxImageBytes: 25 * 2 ** 20 };

export interface OperatorOptions {
  readonly embedder: Embedder;
  readonly identity: OperatorIdentity;
  /** Echoed in Identity: host:port under which callers know this operator. */
  readonly endpoint: () => string;
  readonly fetchBytes: FetchBytes;
  readonly limits: OperatorLimits;
}

/**
 * `omnisearch.Operator` for an encoder, over an `Embedder`.
 * A call of Execute gives one vector per input, in order, or fails naming every bad index.
 */
export function createOperator(options: OperatorOptions): ServiceImpl<typeof Operator> {
  const { embedder, identity, limits } = options;

  async function embedItem(source: () => Promise<Uint8Array>, signal: AbortSignal): Promise<EmbedResult> {
    try {
      if (signal.aborted) throw abortError(signal);
      return await embedder.embed(await source(), { signal });
    } catch (error) {
      return { ok: false, error: EmbedError.from(error) };
    }
  }

  async function execute(urls: readonly string[], datas: readonly string[], signal: AbortSignal) {
    const list = datas.length > 0 ? "datas" : "urls";
    const count = Math.max(datas.length, list === "urls" ? urls.length : 0);
    if (count === 0) return [];
    if (count > limits.maxItems) {
      throw new EmbedError(
        "REQUEST_TOO_LARGE",
        `expected at most ${limits.maxItems} ${list} in one call (--max-items), got ${count}`,
      );
    }
    await settleBefore(embedder.ready, signal);
    const sources =
      list === "datas"
        ? datas.map((data) => async () => decodeBase64(data, limits.maxImageBytes))
        : urls.map((url) => () => options.fetchBytes(url, { signal }));
    // Drawn a few ahead of the workers: more would hold pictures in memory and make other calls wait.
    const ahead = embedder.concurrency * 2;
    const results = await mapConcurrently(sources, ahead, (source) => embedItem(source, signal));
    return vectorsOrThrow(results, list);
  }

  return {
    async execute(request, context) {
      try {
        const vectors = await execute(request.urls, request.datas, context.signal);
        return {
          nums: BigInt(vectors.length),
          vectors: vectors.map((vector) => ({ element: Array.from(vector) })),
        };
      } catch (error) {
        throw toConnectError(EmbedError.from(error));
      }
    },
    healthy() {
      if (embedder.isReady()) return { healthy: "healthy" };
      throw toConnectError(new EmbedError("NOT_READY", "the model is not ready to embed yet"));
    },
    identity() {
      return { ...identity, endpoint: options.endpoint(), dimension: String(identity.dimension) };
    },
  };
}

/**
 * All vectors in order, or one error for the call.
 * @throws EmbedError with every failed item in its detail; its reason is the first that a retry may cure, else the first of all
 */
function vectorsOrThrow(results: readonly EmbedResult[], list: "datas" | "urls"): Float32Array[] {
  const vectors: Float32Array[] = [];
  const items: ItemFailure[] = [];
  for (const [index, result] of results.entries()) {
    if (result.ok) vectors.push(result.vector);
    else items.push({ index, reason: result.error.reason, message: result.error.message });
  }
  const first = items[0];
  if (!first) return vectors;
  const decisive = items.find(({ reason }) => codeByReason[reason] !== codeByReason.REQUEST_INVALID) ?? first;
  throw new EmbedError(decisive.reason, describeFailures(items, results.length, list), { detail: { items } });
}

/** The first few failures in words; the error detail names all of them. */
function describeFailures(items: readonly ItemFailure[], count: number, list: string): string {
  const shown = items
    .slice(0, 3)
    .map(({ index, reason, message }) => `${list}[${index}] ${reason}: ${message}`);
  const more = items.length > shown.length ? `; and ${items.length - shown.length} more` : "";
  return `${items.length} of ${count} items failed: ${shown.join("; ")}${more}`;
}
