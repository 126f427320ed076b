import type { EmbedResult } from "../../embed/embedder.ts";
import type { PreparedImage } from "../../embed/prepare-image.ts";
import { abortError } from "../../embed/settle-before.ts";
import { EmbedError } from "../../errors.ts";
import { createDecodeCrew, type DecodeCrew, type DecodeCrewOptions } from "./decode-crew.ts";
import type { Job } from "./job-queue.ts";
import type { PooledWorker } from "./pooled-worker.ts";
import type { WorkerCrew } from "./worker-crew.ts";

/**
 * 32: the largest tensor of ResNet50 (112 x 112 x 64 and 56 x 56 x 256 float32, 3.2 MB a picture) then takes 103 MB, within the
 * 128 MiB that every WebGPU device can bind (WebGPU, 3.6.2, maxStorageBufferBindingSize); 64 would need a larger one.
 */
export const maxBatchPictures = 32;

export interface BatchLineOptions extends DecodeCrewOptions {
  readonly crew: Pick<WorkerCrew, "take" | "giveBack">;
  /** A picture more may come, or a batch may begin, or a thread was lost. */
  readonly onChange: () => void;
  /** A run with so many pictures begins. */
  readonly onBatch: (pictures: number) => void;
  /** The engine failed, or a thread was lost. */
  readonly onFailure: () => void;
}

/**
 * Pictures on their way to an engine that takes several at once: threads without an engine make tensors of them, and
 * the one worker with the engine takes what waits as soon as it is free. Pictures that have lost a worker go alone: if a batch
 * was too much for its GPU, one picture is not.
 */
export interface BatchLine {
  /** Whether a picture may be taken now. So `maxBatchPictures` tensors wait at most, and the engine has as many. */
  hasRoom(): boolean;
  take(job: Job, isAlone: boolean): void;
  /** Hands the engine what waits, if it is free; nobody waits for company. */
  run(): void;
  /** Whether there was a thread that decodes, and none is left for the moment. */
  isLost(): boolean;
  failAll(error: EmbedError): void;
  /** Another engine has taken over: gives back what waits, and what is being decoded later through `takeBack`. */
  leave(takeBack: (job: Job) => void): Promise<void>;
  close(error: EmbedError): Promise<void>;
}

interface Waiting {
  readonly job: Job;
  readonly image: PreparedImage;
  readonly isAlone: boolean;
}

export function createBatchLine(options: BatchLineOptions): BatchLine {
  const { crew, onChange } = options;
  const decoders: DecodeCrew = createDecodeCrew(options);
  /** In the order in which they were decoded. */
  let waiting: Waiting[] = [];
  let decoding = 0;
  /** What becomes of pictures once this line is closed. */
  let turnAway: ((job: Job) => void) | undefined;

  async function decode(job: Job, isAlone: boolean): Promise<void> {
    decoding += 1;
    const image = await decoders.decode(job.bytes);
    decoding -= 1;
    const isLost = image instanceof EmbedError && image.reason === "ENGINE_FAILED";
    if (turnAway && (isLost || !(image instanceof EmbedError))) turnAway(job);
    else if (image instanceof EmbedError) {
      if (isLost) options.onFailure();
      job.resolve({ ok: false, error: image });
    } else waiting.push({ job, image, isAlone });
    onChange();
  }

  function dropAborted(): void {
    const gone = waiting.filter(({ job }) => job.signal?.aborted);
    if (gone.length === 0) return;
    waiting = waiting.filter(({ job }) => !job.signal?.aborted);
    for (const { job } of gone) job.resolve({ ok: false, error: abortError(job.signal as AbortSignal) });
  }

  /** Of those that wait longest, as many as may go together. */
  function nextBatch(): readonly Waiting[] {
    const alone = waiting.findIndex(({ isAlone }) => isAlone);
    const together = alone < 0 ? waiting.length : Math.max(1, alone);
    return waiting.splice(0, Math.min(together, maxBatchPictures));
  }

  async function embed(worker: PooledWorker, batch: readonly Waiting[]): Promise<void> {
    options.onBatch(batch.length);
    const results = await worker.embedBatch(batch.map(({ image }) => image));
    const failure = results.flatMap(engineFailure)[0];
    if (failure) options.onFailure();
    // It has its next batch before anybody is told of this one.
    crew.giveBack(worker, failure);
    for (const [index, { job }] of batch.entries()) job.resolve(results[index] as EmbedResult);
  }

  /** Settles what waits. */
  function clear(settle: (job: Job) => void): void {
    const left = waiting;
    waiting = [];
    for (const { job } of left) settle(job);
  }

  const failWith = (error: EmbedError) => (job: Job) => job.resolve({ ok: false, error });

  async function end(settle: (job: Job) => void): Promise<void> {
    turnAway = settle;
    clear(settle);
    await decoders.close();
  }

  return {
    hasRoom: () => !turnAway && decoders.idle() > 0 && decoding + waiting.length < maxBatchPictures,
    take: (job, isAlone) => void decode(job, isAlone),
    run() {
      dropAborted();
      if (waiting.length === 0) return;
      const worker = crew.take(0);
      if (worker) void embed(worker, nextBatch());
    },
    isLost: () => decoders.isLost(),
    failAll: (error) => clear(failWith(error)),
    leave: end,
    close: (error) => end(failWith(error)),
  };
}

function engineFailure(result: EmbedResult): EmbedError[] {
  return result.ok || result.error.reason !== "ENGINE_FAILED" ? [] : [result.error];
}
