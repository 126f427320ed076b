import resnet50 from "../../models/resnet50/manifest.json" with { type: "json" };
import type { Embedder, EmbedResult } from "../../src/embed/embedder.ts";
import type { ModelManifest } from "../../src/embed/model-manifest.ts";
import { EmbedError } from "../../src/errors.ts";
import { alwaysLoaded, type ServedModel } from "../../src/service/served-model.ts";

/**
 * An embedder over bytes, for tests of the services: the vector of [n, ...] is [n, 1]; 0 is a corrupt picture,
 * 255 a lost worker. Later items finish first, so that an order kept by luck would show.
 */
export function embedderOfBytes(ready: Promise<void> = Promise.resolve(), isReady = true): Embedder {
  let pending = 0;
  return {
    concurrency: 2,
    ready,
    isReady: () => isReady,
    async embed(bytes): Promise<EmbedResult> {
      pending += 1;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, 20 - pending)));
      const first = bytes[0] as number;
      if (first === 0) return { ok: false, error: new EmbedError("IMAGE_CORRUPT", "it is broken") };
      if (first === 255) return { ok: false, error: new EmbedError("ENGINE_FAILED", "a worker ended") };
      const timings = { decodeMs: 1, preprocessMs: 2, inferMs: 3 };
      return { ok: true, vector: Float32Array.of(first, 1), format: "png", width: 1, height: 1, timings };
    },
    dispose: async () => undefined,
  };
}

/** ResNet50's own manifest over such an embedder. */
export function modelOfBytes(embedder: Embedder, maxItems: number, name = "resnet50"): ServedModel {
  return {
    manifest: { ...(resnet50 as unknown as ModelManifest), name },
    embedder,
    ...alwaysLoaded(embedder),
    engine: () => "ort-wasm",
    formats: ["jpeg", "png"],
    limits: { maxItems, maxImageBytes: 4, maxPixels: 100 },
  };
}

/** `http://HOST/N` is the byte N; anything else does not exist. */
export async function fetchByte(url: string): Promise<Uint8Array> {
  const number = Number(url.split("/").at(-1));
  if (Number.isNaN(number)) {
    throw new EmbedError("SOURCE_UNREACHABLE", "got HTTP status 404", { detail: { httpStatus: 404 } });
  }
  return Uint8Array.of(number);
}
