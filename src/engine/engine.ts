/**
 * An engine runs a converted model. It knows tensors only: no pictures, no requests.
 * Runtime and wasm are injected when an engine is made, so that every host can bring its own.
 */
export interface Engine {
  /** The name by which flags, logs and metrics call it. */
  readonly name: EngineName;
  /**
   * Loads a model with one float32 input (N, H, W, C) and one float32 output (N, D).
   * @throws EmbedError `ENGINE_UNSUPPORTED` if the model holds what this engine lacks, `MODEL_CORRUPT` if the bytes are no model.
   */
  load(onnx: Uint8Array): Promise<EngineSession>;
}

/** The engines by name, in the order in which a choice lists them. */
export const engineNames = ["ort-wasm", "simd", "ort-native", "ort-webgpu"] as const;

export type EngineName = (typeof engineNames)[number];

/** What may be asked for: an engine, or `auto`, the fastest that works here. */
export const engineChoices = [...engineNames, "auto"] as const;

export type EngineChoice = (typeof engineChoices)[number];

/** One loaded model. Calls of `run` do not overlap: the caller awaits one before the next. */
export interface EngineSession {
  /** (height, width, channels) of the input, from the model itself. */
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** Length D of one feature vector. */
  readonly dimension: number;
  /**
   * @param tensor (batch, height, width, channels) float32, C-contiguous
   * @returns (batch, dimension) float32, C-contiguous; the caller owns it
   * @throws EmbedError `ENGINE_FAILED`
   */
  run(tensor: Float32Array, batch: number): Promise<Float32Array>;
  /**
   * Only of engines whose threads can share a picture: works on the one that the thread in this seat runs, until that is
   * finished or this thread is called off.
   * @throws EmbedError `ENGINE_FAILED`
   */
  help?(seat: number): void;
  dispose(): Promise<void>;
}
