import type { ModelManifest } from "../embed/model-manifest.ts";
import { parseModelManifest } from "../embed/parse-model-manifest.ts";
import type { SelfCheck } from "../embed/self-check.ts";
import { hasRelaxedSimd } from "../engine/simd/relaxed-simd.ts";
import { EmbedError } from "../errors.ts";
import { compileWasm } from "./compile-wasm.ts";
import { fetchFile } from "./fetch-file.ts";
import type { WorkerDecoders } from "./worker-decoders.ts";
import type { OrtFiles } from "./worker-messages.ts";

/**
 * The files that the build puts beside this one (tools/build-browser.ts). Each URL is written out, so that bundlers see
 * it and bring the file along.
 */

const decoderUrls = {
  jpeg: () => new URL("./mozjpeg_dec.wasm", import.meta.url),
  others: () => new URL("./other-decoders.js", import.meta.url),
  webp: () => new URL("./webp_dec.wasm", import.meta.url),
};

const kernelUrls = {
  plain: () => new URL("./kernels-plain.wasm", import.meta.url),
  relaxed: () => new URL("./kernels-relaxed.wasm", import.meta.url),
};

const modelUrls: Readonly<Record<string, () => URL>> = {
  resnet50: () => new URL("./resnet50.json", import.meta.url),
};

/** onnxruntime-web for the processor. */
export const ortWasmFiles = (): OrtFiles => ({
  module: new URL("./ort.wasm.bundle.min.mjs", import.meta.url).href,
  wasm: new URL("./ort-wasm-simd-threaded.wasm", import.meta.url).href,
});

/** onnxruntime-web for a GPU. */
export const ortWebGpuFiles = (): OrtFiles => ({
  module: new URL("./ort.webgpu.bundle.min.mjs", import.meta.url).href,
  wasm: new URL("./ort-wasm-simd-threaded.asyncify.wasm", import.meta.url).href,
});

export const startWorker = (): Worker =>
  new Worker(new URL("./embed-worker.js", import.meta.url), { type: "module", name: "portico" });

type Signal = AbortSignal | undefined;

/** JPEG's decoder; of the others a worker gets the URLs. */
export async function loadDecoders(signal: Signal): Promise<WorkerDecoders> {
  const jpeg = await compileWasm(decoderUrls.jpeg(), signal);
  return { jpeg, others: decoderUrls.others().href, webp: decoderUrls.webp().href };
}

/** The build of the kernels that suits this browser. */
export const loadKernels = (signal: Signal): Promise<WebAssembly.Module> =>
  compileWasm(hasRelaxedSimd() ? kernelUrls.relaxed() : kernelUrls.plain(), signal);

/** Everything that is known of a model except its weights. */
export interface ModelFacts {
  readonly manifest: ModelManifest;
  readonly selfCheck: SelfCheck;
}

/** As the build writes it; bytes are base64. */
export interface ModelFactsJson {
  readonly manifest: unknown;
  readonly selfCheck: {
    readonly name: string;
    readonly bytes: string;
    readonly vector: string;
    readonly tolerance: number;
  };
}

/** @throws EmbedError `MODEL_UNKNOWN`, naming the known ones */
export async function loadModelFacts(name: string, signal: Signal): Promise<ModelFacts> {
  const url = Object.hasOwn(modelUrls, name) ? modelUrls[name]?.() : undefined;
  if (!url) {
    const known = Object.keys(modelUrls).join(", ");
    throw new EmbedError("MODEL_UNKNOWN", `there is no model "${name}"; known models: ${known}`);
  }
  const text = new TextDecoder().decode(await fetchFile(url, { signal, reason: "CONFIG_INVALID" }));
  const { manifest, selfCheck } = JSON.parse(text) as ModelFactsJson;
  const vector = new DataView(fromBase64(selfCheck.vector).buffer);
  return {
    manifest: parseModelManifest(manifest),
    selfCheck: {
      ...selfCheck,
      bytes: fromBase64(selfCheck.bytes),
      vector: Float32Array.from({ length: vector.byteLength / 4 }, (_, i) => vector.getFloat32(i * 4, true)),
    },
  };
}

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
