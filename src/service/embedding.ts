import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Embedding, EmbedResult } from "../embed/embedder.ts";
import type { FetchBytes, Now } from "../embed/host.ts";
import { mapAsFinished } from "../embed/map-as-finished.ts";
import { EmbedError } from "../errors.ts";
import {
  type EmbeddingSchema,
  type EmbeddingService,
  type EmbedResultSchema,
  type EmbedStreamRequest,
  ErrorPolicy,
  type ImageSource,
  VectorEncoding,
} from "../gen/portico/v1/embedding_pb.ts";
import { embeddingWork } from "./embedding-work.ts";
import { keepMessageKey } from "./keep-message.ts";
import { describeVectors, type ServedModel } from "./served-model.ts";
import { checkStreamIds } from "./stream-id.ts";
import { toConnectError } from "./to-connect-error.ts";
import { toModel } from "./to-model.ts";
import { aheadOf, type BringBytes, batchError, toItemFailure, workAlone, workBatch } from "./work-batch.ts";

export interface EmbeddingOptions {
  /** At least one; the first is taken where a request names none. */
  readonly models: readonly [ServedModel, ...ServedModel[]];
  readonly fetchBytes: FetchBytes;
  readonly now: Now;
}

/** One picture of a request. */
interface Picture {
  readonly bring: BringBytes;
  /** Milliseconds that its bytes took to come; 0 where the request held them. */
  readonly fetchMs: () => number;
}

/** Longest part of a name that an answer repeats. */
const shownNameMaxLength = 100;

/** `portico.v1.EmbeddingService` over the embedders of one or more models. */
export function createEmbedding(options: EmbeddingOptions): ServiceImpl<typeof EmbeddingService> {
  const { models } = options;
  /** Of the engines that run now. */
  const largestAhead = () => Math.max(...models.map((model) => aheadOf(embeddingWork(model))));

  function findModel(name: string): ServedModel {
    const found = name === "" ? models[0] : models.find(({ manifest }) => manifest.name === name);
    if (found) return found;
    const known = models.map(({ manifest }) => manifest.name).join(", ");
    // A cut, or JSON, may leave half a character, which could not be sent.
    const shown = name.slice(0, shownNameMaxLength).toWellFormed();
    throw new EmbedError("MODEL_UNKNOWN", `expected one of the models ${known}, got "${shown}"`);
  }

  function toPicture(image: ImageSource | undefined, model: ServedModel, signal: AbortSignal): Picture {
    let fetchMs = 0;
    async function bring(): Promise<Uint8Array> {
      if (image?.source.case === "data") return ownBytes(image.source.value, model.limits.maxImageBytes);
      if (image?.source.case !== "url") {
        throw new EmbedError("SOURCE_EMPTY", "expected a picture's data or url, got neither");
      }
      const start = options.now();
      const bytes = await options.fetchBytes(image.source.value, { signal });
      fetchMs = options.now() - start;
      return bytes;
    }
    return { bring, fetchMs: () => fetchMs };
  }

  /** Never rejects: what goes wrong is the result of this request's own id. Call `letGo` once it was taken. */
  async function embedStreamed(request: EmbedStreamRequest, { signal, values }: HandlerContext) {
    const { id, vectorEncoding } = request;
    const letGo = values.get(keepMessageKey)();
    try {
      const model = findModel(request.model);
      const { bring, fetchMs } = toPicture(request.image, model, signal);
      const result = await workAlone(embeddingWork(model), bring, signal);
      const vectorSpace = model.manifest.fingerprint ?? "";
      return { reply: { id, result: toResult(result, 0, fetchMs(), vectorEncoding), vectorSpace }, letGo };
    } catch (error) {
      return { reply: { id, result: toFailure(EmbedError.from(error), 0) }, letGo };
    }
  }

  return {
    async embed(request, context) {
      try {
        const model = findModel(request.model);
        const { signal } = context;
        const pictures = request.images.map((image) => toPicture(image, model, signal));
        const results = await workBatch(
          embeddingWork(model),
          pictures.map(({ bring }) => bring),
          { list: "images", signal, failsAsOne: request.errorPolicy === ErrorPolicy.FAIL_CALL },
        );
        const error = batchError(results, "images");
        if (error && request.errorPolicy === ErrorPolicy.FAIL_CALL) throw error;
        describeVectors(context.responseHeader, model);
        return {
          model: model.manifest.name,
          vectorSpace: model.manifest.fingerprint ?? "",
          results: results.map((result, index) =>
            toResult(result, index, pictures[index]?.fetchMs() ?? 0, request.vectorEncoding),
          ),
        };
      } catch (error) {
        throw toConnectError(EmbedError.from(error));
      }
    },
    async *embedStream(requests, context) {
      describeVectors(context.responseHeader, models[0]);
      const embedNext = (request: EmbedStreamRequest) => embedStreamed(request, context);
      for await (const { reply, letGo } of mapAsFinished(checkStreamIds(requests), largestAhead, embedNext)) {
        yield reply;
        // A part of a name that a result repeats keeps the whole name in memory, until the result was taken.
        letGo();
      }
    },
    listModels(_request, context) {
      describeVectors(context.responseHeader, models[0]);
      return { models: models.map(toModel) };
    },
    getModel({ name }, context) {
      try {
        const model = findModel(name);
        describeVectors(context.responseHeader, model);
        return { model: toModel(model) };
      } catch (error) {
        throw toConnectError(EmbedError.from(error));
      }
    },
  };
}

/**
 * The picture in memory of its own, which can be transferred to a worker; the request's message holds it as a
 * part of all its bytes.
 * @throws EmbedError `SOURCE_EMPTY`, `SOURCE_TOO_LARGE`
 */
function ownBytes(bytes: Uint8Array, maxImageBytes: number): Uint8Array {
  if (bytes.length === 0) throw new EmbedError("SOURCE_EMPTY", "expected a picture's bytes, got none");
  if (bytes.length > maxImageBytes) {
    throw new EmbedError(
      "SOURCE_TOO_LARGE",
      `expected a picture of at most ${maxImageBytes} bytes (--max-image-bytes), got ${bytes.length}`,
    );
  }
  return bytes.slice();
}

function toResult(
  result: EmbedResult,
  index: number,
  fetchMs: number,
  encoding: VectorEncoding,
): MessageInitShape<typeof EmbedResultSchema> {
  if (!result.ok) return toFailure(result.error, index);
  return { outcome: { case: "embedding", value: toEmbedding(result, fetchMs, encoding) } };
}

function toFailure(error: EmbedError, index: number): MessageInitShape<typeof EmbedResultSchema> {
  return { outcome: { case: "error", value: toItemFailure(error, index) } };
}

function toEmbedding(
  { vector, format, width, height, timings }: Embedding,
  fetchMs: number,
  encoding: VectorEncoding,
): MessageInitShape<typeof EmbeddingSchema> {
  return {
    ...(encoding === VectorEncoding.BYTES
      ? { vectorBytes: littleEndianBytes(vector) }
      : { vector: Array.from(vector) }),
    image: { format, width, height },
    timings: { fetchMs, ...timings },
  };
}

/** (dimension) float32 as little-endian bytes, whatever the order of this machine. */
function littleEndianBytes(vector: Float32Array): Uint8Array {
  const bytes = new Uint8Array(vector.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of vector.entries()) view.setFloat32(index * 4, value, true);
  return bytes;
}
