/** `import ... from "portico"` in Node. */
export type { EmbedOptions, StageTimings } from "../embed/embedder.ts";
export type { ImageInput } from "../embed/image-bytes.ts";
export type { ImageEmbedder, ImageEmbedding } from "../embed/image-embedder.ts";
export type { VariantName } from "../embed/model-manifest.ts";
export type { Processor, ProcessorInput, ProcessorOutput } from "../embed/processor.ts";
export type { EngineChoice, EngineName } from "../engine/engine.ts";
export { EmbedError, type ErrorDetail, type ItemFailure, type Reason } from "../errors.ts";
export type { ImageFormat, Pixels } from "../image/pixels.ts";
export type { RgbaImage } from "../image/wasm-codec.ts";
export { type CreateEmbedderOptions, createEmbedder } from "./create-embedder.ts";
export type { PrepareEvent } from "./model/model-store.ts";
