/** What a page lets its Web Worker do. */
export interface WorkerLimits {
  /**
   * Longest time that one picture may take, from its bytes to its vector. A worker that takes longer is ended and
   * another one started.
   */
  readonly itemTimeoutMs: number;
  /** Longest time without a word from a worker that starts; it fetches its engine, up to 27 MB. */
  readonly startTimeoutMs: number;
}

/**
 * 30 s for a picture, as on the server: one of 50 megapixels takes 3 s. 10 minutes for a start: the wasm of `ort-webgpu` on a
 * slow line, or a minute or two for a software adapter.
 */
export const defaultWorkerLimits: WorkerLimits = { itemTimeoutMs: 30_000, startTimeoutMs: 600_000 };

/** How often in a row a worker is started again before the pictures that wait for it fail. */
export const startAttemptsMax = 3;

/** Pictures that the engine `ort-webgpu` takes in one run: on a GPU more hardly gain anything, and all wait for the last. */
export const batchMax = 32;
