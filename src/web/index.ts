/** `import ... from "portico"` in a browser. */
export type { EmbedOptions, StageTimings } from "../embed/embedder.ts";
export type { ImageInput } from "../embed/image-bytes.ts";
export type { ImageEmbedder, ImageEmbedding } from "../embed/image-embedder.ts";
export type { VariantName } from "../embed/model-manifest.ts";
/** Types alone: a processor runs on a server, but a program's compiler may take this side of the package. */
export type { Processor, ProcessorInput, ProcessorOutput } from "../embed/processor.ts";
export type { EngineName } from "../engine/engine.ts";
export { EmbedError, type ErrorDetail, type ItemFailure, type Reason } from "../errors.ts";
export type { ImageFormat, Pixels } from "../image/pixels.ts";
export type { RgbaImage } from "../image/wasm-codec.ts";
export { type CreateEmbedderEvent, type CreateEmbedderOptions, createEmbedder } from "./create-embedder.ts";
export type { WebEngineName } from "./web-engines.ts";
export type { WorkerEmbedderEvent } from "./worker-embedder-options.ts";
