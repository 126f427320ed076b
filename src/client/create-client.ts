import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient as createConnectClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { EmbedError } from "../errors.ts";
import {
  type Embedding,
  EmbeddingService,
  ErrorPolicy,
  type ImageSourceSchema,
  type Model,
  ModelSchema,
  VectorEncoding,
} from "../gen/portico/v1/embedding_pb.ts";
import { toEmbedError, toItemFailure } from "./to-embed-error.ts";

/** A picture: encoded bytes, a `Blob` or `File` of them, or a URL that the server fetches as far as it may. */
export type ClientImage = Uint8Array | ArrayBuffer | Blob | { readonly url: string };

export interface CreateClientOptions {
  /** Of a `portico serve`, for example `http://127.0.0.1:52001`. */
  readonly baseUrl: string;
  /** Default: `connect`. */
  readonly protocol?: "connect" | "grpc-web";
  /** Sent with every call where the server asks for one (`--tokens-file`). */
  readonly bearerToken?: string;
  /** Longest time of a call; the server learns it, too. Default: none. */
  readonly timeoutMs?: number;
  /** Default: the runtime's own. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface EmbedCallOptions extends CallOptions {
  /** A name of `listModels`. Default: the server's first model. */
  readonly model?: string;
}

/** What became of one picture. */
export type ClientResult =
  | {
      readonly ok: true;
      /** (dimension) float32 with L2 norm 1, the bits that the server computed. */
      readonly vector: Float32Array;
      readonly format: string;
      /** Pixels. */
      readonly width: number;
      readonly height: number;
      readonly timings: {
        readonly fetchMs: number;
        readonly decodeMs: number;
        readonly preprocessMs: number;
        readonly inferMs: number;
      };
    }
  | { readonly ok: false; readonly error: EmbedError };

export interface ClientReply {
  readonly model: string;
  /** Names the vector space: vectors are comparable if and only if their spaces have the same name. */
  readonly vectorSpace: string;
  /** One for each picture, in order. */
  readonly results: readonly ClientResult[];
}

/** Calls of `portico.v1.EmbeddingService`. Every rejection is an `EmbedError` with the server's own reason. */
export interface PorticoClient {
  /** A bad picture is an error in its own place; the call fails only as a whole. */
  embed(images: readonly ClientImage[], options?: EmbedCallOptions): Promise<ClientReply>;
  /** The first one is taken where a call names none. */
  listModels(options?: CallOptions): Promise<readonly Model[]>;
  getModel(name: string, options?: CallOptions): Promise<Model>;
}

/**
 * A client for pages and for programs: it needs `fetch` alone.
 * @throws EmbedError `CONFIG_INVALID` unless `baseUrl` is an http or https URL
 */
export function createClient(options: CreateClientOptions): PorticoClient {
  checkBaseUrl(options.baseUrl);
  const client = createConnectClient(EmbeddingService, createTransport(options));

  return {
    async embed(images, { model = "", signal } = {}) {
      try {
        const request = {
          model,
          images: await Promise.all(images.map(toSource)),
          errorPolicy: ErrorPolicy.PER_ITEM,
          vectorEncoding: VectorEncoding.BYTES,
        };
        const reply = await client.embed(request, { ...(signal && { signal }) });
        if (reply.results.length !== images.length) {
          const message = `expected ${images.length} results from the server, got ${reply.results.length}`;
          throw new EmbedError("INTERNAL", message);
        }
        const results = reply.results.map(({ outcome }): ClientResult => {
          if (outcome.case === "embedding") return toResult(outcome.value);
          if (outcome.case === undefined) throw new EmbedError("INTERNAL", "a result holds nothing");
          const { reason, message, httpStatus } = toItemFailure(outcome.value);
          const detail = httpStatus === undefined ? {} : { detail: { httpStatus } };
          return { ok: false, error: new EmbedError(reason, message, detail) };
        });
        return { model: reply.model, vectorSpace: reply.vectorSpace, results };
      } catch (error) {
        throw toEmbedError(error);
      }
    },
    async listModels({ signal } = {}) {
      try {
        return (await client.listModels({}, { ...(signal && { signal }) })).models;
      } catch (error) {
        throw toEmbedError(error);
      }
    },
    async getModel(name, { signal } = {}) {
      try {
        const { model } = await client.getModel({ name }, { ...(signal && { signal }) });
        return model ?? create(ModelSchema);
      } catch (error) {
        throw toEmbedError(error);
      }
    },
  };
}

function checkBaseUrl(baseUrl: string): void {
  if (URL.canParse(baseUrl) && /^https?:$/.test(new URL(baseUrl).protocol)) return;
  throw new EmbedError("CONFIG_INVALID", `expected baseUrl to be an http or https URL, got "${baseUrl}"`);
}

function createTransport({
  baseUrl,
  protocol = "connect",
  bearerToken,
  timeoutMs,
  fetch,
}: CreateClientOptions): Transport {
  const open = protocol === "connect" ? createConnectTransport : createGrpcWebTransport;
  return open({
    baseUrl,
    useBinaryFormat: true,
    ...(timeoutMs !== undefined && { defaultTimeoutMs: timeoutMs }),
    ...(fetch && { fetch }),
    interceptors: [
      (next) => (request) => {
        if (bearerToken !== undefined) request.header.set("authorization", `Bearer ${bearerToken}`);
        return next(request);
      },
    ],
  });
}

async function toSource(image: ClientImage): Promise<MessageInitShape<typeof ImageSourceSchema>> {
  if ("url" in image) return { source: { case: "url", value: image.url } };
  if (image instanceof ArrayBuffer) return { source: { case: "data", value: new Uint8Array(image) } };
  if (ArrayBuffer.isView(image)) return { source: { case: "data", value: image } };
  try {
    return { source: { case: "data", value: new Uint8Array(await image.arrayBuffer()) } };
  } catch (cause) {
    throw new EmbedError("SOURCE_UNREACHABLE", "the Blob or File cannot be read any more", { cause });
  }
}

function toResult({ vectorBytes, image, timings }: Embedding): ClientResult {
  const view = new DataView(vectorBytes.buffer, vectorBytes.byteOffset, vectorBytes.byteLength);
  const length = vectorBytes.length / 4;
  const { fetchMs = 0, decodeMs = 0, preprocessMs = 0, inferMs = 0 } = timings ?? {};
  return {
    ok: true,
    vector: Float32Array.from({ length }, (_, index) => view.getFloat32(index * 4, true)),
    format: image?.format ?? "",
    width: image?.width ?? 0,
    height: image?.height ?? 0,
    timings: { fetchMs, decodeMs, preprocessMs, inferMs },
  };
}
