import type { ModelManifest } from "../embed/model-manifest.ts";
import { EmbedError } from "../errors.ts";
import { fetchFile } from "./fetch-file.ts";

/** What `loadModel` is about to do or could not do. */
export type LoadModelEvent =
  | { readonly kind: "downloading"; readonly receivedBytes: number; readonly totalBytes: number }
  /** The model came from the Cache API: nothing is fetched. */
  | { readonly kind: "cached" }
  /** The model works, but the next visit fetches it again: no room, or no Cache API here. */
  | { readonly kind: "not-kept"; readonly why: string };

export interface LoadModelOptions {
  readonly signal?: AbortSignal | undefined;
  /** Sent with the request for the model. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly onProgress?: ((event: LoadModelEvent) => void) | undefined;
}

const cacheName = "portico-models";

/**
 * Brings the converted model and checks its hash, wherever it comes from: bytes, the Cache API, or its URL. What was
 * fetched is kept by its hash, so another URL finds it, and another model never does.
 * @param onnx the file that `portico prepare` makes, or where it is fetched
 * @throws EmbedError `MODEL_UNREACHABLE`, `MODEL_CORRUPT`, `CANCELLED`, `DEADLINE_EXCEEDED`, `CONFIG_INVALID` outside a
 *   secure context
 */
export async function loadModel(
  onnx: string | URL | Blob,
  manifest: ModelManifest,
  { signal, headers, onProgress }: LoadModelOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!globalThis.crypto?.subtle) {
    const message =
      "expected a secure context (https or localhost), where crypto.subtle can check the model's hash";
    throw new EmbedError("CONFIG_INVALID", message);
  }
  if (onnx instanceof Blob) {
    const bytes = await readBlob(onnx);
    await checkHash(bytes, manifest, "the given bytes");
    return bytes;
  }
  const key = new URL(`/portico-model/${manifest.onnx.sha256}`, globalThis.location.href).href;
  const cache = await openCache(onProgress);
  const kept = await readKept(cache, key, manifest);
  if (kept) {
    onProgress?.({ kind: "cached" });
    return kept;
  }
  const bytes = await fetchFile(onnx, {
    ...{ signal, headers },
    reason: "MODEL_UNREACHABLE",
    // It is kept by its hash below. By its URL it would be kept twice, and a damaged one for as long as its ETag holds.
    isCacheable: false,
    bytes: manifest.onnx.bytes,
    onProgress: (receivedBytes) =>
      onProgress?.({ kind: "downloading", receivedBytes, totalBytes: manifest.onnx.bytes }),
  });
  await checkHash(bytes, manifest, String(onnx).slice(0, 200));
  try {
    await cache?.put(key, new Response(bytes));
  } catch (cause) {
    onProgress?.({ kind: "not-kept", why: String(cause) });
  }
  return bytes;
}

async function readBlob(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new EmbedError("MODEL_UNREACHABLE", "the Blob or File of the model cannot be read any more", {
      cause,
    });
  }
}

async function openCache(onProgress: LoadModelOptions["onProgress"]): Promise<Cache | undefined> {
  try {
    return await globalThis.caches.open(cacheName);
  } catch (cause) {
    // Storage may be switched off, or lacking altogether.
    onProgress?.({ kind: "not-kept", why: String(cause) });
    return undefined;
  }
}

/** What was kept may have been cut short or changed: it is then fetched again. */
async function readKept(
  cache: Cache | undefined,
  key: string,
  manifest: ModelManifest,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const reply = await cache?.match(key);
    if (!reply) return undefined;
    const bytes = new Uint8Array(await reply.arrayBuffer());
    await checkHash(bytes, manifest, key);
    return bytes;
  } catch {
    await cache?.delete(key).catch(() => undefined);
    return undefined;
  }
}

async function checkHash(
  bytes: Uint8Array<ArrayBuffer>,
  { onnx }: ModelManifest,
  name: string,
): Promise<void> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const got = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (got === onnx.sha256) return;
  throw new EmbedError("MODEL_CORRUPT", `${name}: expected sha256 ${onnx.sha256}, got ${got}`);
}
