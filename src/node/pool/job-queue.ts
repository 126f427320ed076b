import type { Embedding, EmbedFailure } from "../../embed/embedder.ts";
import { abortError } from "../../embed/settle-before.ts";
import { EmbedError } from "../../errors.ts";

/** One picture that waits for a worker, and what is made of it. */
export interface Job<Made = Embedding> {
  readonly bytes: Uint8Array;
  readonly resolve: (result: Made | EmbedFailure) => void;
  /** Aborted once nobody wants the result any more. Jobs with the same signal are of one call. */
  readonly signal?: AbortSignal | undefined;
}

/** What may wait at once; beyond either bound a picture is refused at once. */
export interface QueueLimits {
  readonly maxItems: number;
  /** Encoded bytes of all waiting pictures together. */
  readonly maxBytes: number;
}

/** A minute of work for four workers, and pictures of any size in a container of 2 GiB. */
export const defaultQueueLimits: QueueLimits = { maxItems: 1024, maxBytes: 256 * 2 ** 20 };

/** What waits at this moment. */
export interface QueueState {
  readonly queuedItems: number;
  readonly queuedBytes: number;
  /** How long the oldest job has waited, in milliseconds; 0 if none waits. */
  readonly oldestMs: number;
}

export interface JobQueue<Made = Embedding> {
  /** Queues a job, or settles it at once as `OVERLOADED`. Once its signal aborts, it is dropped where it waits. */
  push(job: Job<Made>): void;
  /** The oldest job of the call whose turn it is, or undefined if none waits. */
  shift(): Job<Made> | undefined;
  /** Settles every waiting job with this error. */
  failAll(error: EmbedError): void;
  state(): QueueState;
}

/** What waits with a job. */
interface Waiting {
  readonly since: number;
  readonly call: object;
  readonly stopListening: () => void;
}

/**
 * Calls take turns, and the jobs of one call come in their order: a call with one picture waits for one picture
 * of each other call at most, however many pictures those have.
 */
export function createJobQueue<Made = Embedding>(limits: QueueLimits): JobQueue<Made> {
  /** In order of arrival. */
  const waiting = new Map<Job<Made>, Waiting>();
  /** The jobs of each call, in order of their turns. A job without a signal is a call of its own. */
  const calls = new Map<object, Set<Job<Made>>>();
  let bytes = 0;

  function take(job: Job<Made>): void {
    const { call, stopListening } = waiting.get(job) as Waiting;
    stopListening();
    waiting.delete(job);
    bytes -= job.bytes.length;
    const jobs = calls.get(call);
    jobs?.delete(job);
    if (jobs?.size === 0) calls.delete(call);
  }

  function add(job: Job<Made>, call: object, stopListening: () => void): void {
    waiting.set(job, { since: performance.now(), call, stopListening });
    bytes += job.bytes.length;
    const jobs = calls.get(call) ?? new Set();
    calls.set(call, jobs.add(job));
  }

  function refusal(job: Job<Made>): EmbedError | undefined {
    if (waiting.size >= limits.maxItems) {
      const message = `expected fewer than ${limits.maxItems} pictures to wait (--max-queued-items); try again later`;
      return new EmbedError("OVERLOADED", message);
    }
    if (waiting.size > 0 && bytes + job.bytes.length > limits.maxBytes) {
      const message = `expected at most ${limits.maxBytes} bytes of pictures to wait (--max-queued-bytes), got ${bytes + job.bytes.length}; try again later`;
      return new EmbedError("OVERLOADED", message);
    }
    return undefined;
  }

  return {
    push(job) {
      const { signal } = job;
      const error = signal?.aborted ? abortError(signal) : refusal(job);
      if (error) {
        job.resolve({ ok: false, error });
        return;
      }
      const onAbort = () => {
        take(job);
        job.resolve({ ok: false, error: abortError(signal as AbortSignal) });
      };
      signal?.addEventListener("abort", onAbort);
      add(job, signal ?? job, () => signal?.removeEventListener("abort", onAbort));
    },
    shift() {
      const [turn] = calls;
      if (!turn) return undefined;
      const [call, jobs] = turn;
      const [job] = jobs;
      // Behind all others, if it has more.
      calls.delete(call);
      calls.set(call, jobs);
      take(job as Job<Made>);
      return job;
    },
    failAll(error) {
      for (const job of [...waiting.keys()]) {
        take(job);
        job.resolve({ ok: false, error });
      }
    },
    state() {
      const [oldest] = waiting.values();
      return {
        queuedItems: waiting.size,
        queuedBytes: bytes,
        oldestMs: oldest ? performance.now() - oldest.since : 0,
      };
    },
  };
}
