import type { Embedding, EmbedFailure } from "../../embed/embedder.ts";
import { abortError } from "../../embed/settle-before.ts";
import type { EmbedError } from "../../errors.ts";
import { createJobQueue, type Job, type QueueLimits, type QueueState } from "./job-queue.ts";

/** What is made of a picture that nothing was wrong with. */
export interface Success {
  readonly ok: true;
}

export interface RetryingQueueOptions {
  readonly limits: QueueLimits;
  /** A picture waits: called whenever one came, or came back. */
  readonly dispatch: () => void;
  readonly onSuccess: () => void;
}

export interface NextJob<Made = Embedding> {
  readonly job: Job<Made>;
  /** It has lost a worker, or is the pool's own. */
  readonly isRetried: boolean;
}

/** The pictures of a pool until their callers have what was made of them. */
export interface RetryingQueue<Made extends Success = Embedding> {
  /**
   * Never rejects. Should `signal` abort, its caller is told at once; a picture that a worker holds is worked on to its end.
   * @returns what was made of it; or `OVERLOADED`, `CANCELLED`, `DEADLINE_EXCEEDED`, what its worker failed with, or what
   *   `failAll` and `close` say
   */
  add(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<Made | EmbedFailure>;
  /** Before all others, beyond the limits, and tried once: a picture of the pool's own. Never rejects. */
  addFirst(bytes: Uint8Array): Promise<Made | EmbedFailure>;
  /** A picture that was taken out and not begun waits again, before those that came. */
  putBack(job: Job<Made>): void;
  /** Pictures that may be taken out. */
  waiting(): number;
  /** Takes out the next one; undefined if none waits. */
  next(): NextJob<Made> | undefined;
  /** Those that came, without those that wait again. */
  state(): QueueState;
  /** Why no picture is taken any more. */
  closedBy(): EmbedError | undefined;
  /** Settles all that wait. */
  failAll(error: EmbedError): void;
  /** Settles all that wait, and from now on whatever comes or loses its worker. The first error stays. */
  close(error: EmbedError): void;
}

/**
 * A picture is tried again once if its worker ended or its engine failed: often another one is to blame. A
 * picture that ends workers takes down its own, those that helped, and one more at most.
 */
const retries = 1;

/** A queue whose pictures survive the loss of one worker: each is settled once, whatever becomes of those who worked on it. */
export function createRetryingQueue<Made extends Success = Embedding>(
  options: RetryingQueueOptions,
): RetryingQueue<Made> {
  type Result = Made | EmbedFailure;
  const queue = createJobQueue<Made>(options.limits);
  /** Pictures that lost their worker: they have waited already. */
  const retryQueue = createJobQueue<Made>({ maxItems: Infinity, maxBytes: Infinity });
  let closedBy: EmbedError | undefined;

  function enqueue(
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
    settle: (result: Result) => void,
  ): void {
    const attempt = (triesLeft: number): Job<Made> => ({
      bytes,
      signal,
      resolve(result) {
        if (result.ok) options.onSuccess();
        const isLost = !result.ok && result.error.reason === "ENGINE_FAILED";
        if (isLost && closedBy) settle({ ok: false, error: closedBy });
        else if (isLost && triesLeft > 0) {
          retryQueue.push(attempt(triesLeft - 1));
          options.dispatch();
        } else settle(result);
      },
    });
    queue.push(attempt(retries));
    options.dispatch();
  }

  function failAll(error: EmbedError): void {
    queue.failAll(error);
    retryQueue.failAll(error);
  }

  return {
    add(bytes, signal) {
      return new Promise((resolve) => {
        if (closedBy) {
          resolve({ ok: false, error: closedBy });
          return;
        }
        const onAbort = () => settle({ ok: false, error: abortError(signal as AbortSignal) });
        const settle = (result: Result) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(result);
        };
        signal?.addEventListener("abort", onAbort);
        enqueue(bytes, signal, settle);
      });
    },
    addFirst(bytes) {
      return new Promise((resolve) => {
        retryQueue.push({ bytes, resolve });
        options.dispatch();
      });
    },
    putBack: (job) => retryQueue.push(job),
    waiting: () => retryQueue.state().queuedItems + queue.state().queuedItems,
    next() {
      const retried = retryQueue.shift();
      const job = retried ?? queue.shift();
      return job && { job, isRetried: retried !== undefined };
    },
    state: queue.state,
    closedBy: () => closedBy,
    failAll,
    close(error) {
      closedBy ??= error;
      failAll(closedBy);
    },
  };
}
