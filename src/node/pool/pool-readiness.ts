import { EmbedError } from "../../errors.ts";
import {
  createRecentSuccess,
  defaultRecentSuccessLimits,
  type RecentSuccessLimits,
} from "../observe/recent-success.ts";
import { defaultNoWorkerMaxMs } from "./worker-pool-options.ts";

export interface PoolReadinessOptions {
  /** Whether threads live that take pictures. */
  readonly isManned: () => boolean;
  /** How long the picture that waits longest has waited; 0 if none does. */
  readonly oldestMs: () => number;
  /** When a pool whose threads live is not ready all the same. Default: `defaultRecentSuccessLimits`. */
  readonly recentSuccess?: RecentSuccessLimits | undefined;
  /** Longest time without any thread that pictures wait through. Default: `defaultNoWorkerMaxMs`. */
  readonly noWorkerMaxMs?: number | undefined;
  /** Pictures have waited that long: they are to fail with this. */
  readonly onOrphaned: (error: EmbedError) => void;
  readonly onReadyChanged: (ready: boolean) => void;
  /** Called whenever the clock is looked at. */
  readonly onWatch?: () => void;
}

/** Whether a pool works: its threads live, pictures come back as what is to be made of them, and none waits for too long. */
export interface PoolReadiness {
  isReady(): boolean;
  noteSuccess(): void;
  /** An engine failed, or its thread was lost with a picture in hand. */
  noteFailure(): void;
  /** A thread came, or was lost. */
  noteThreads(): void;
  /** Not ready from now on. */
  close(): void;
}

/** How often the clock is looked at: whether work stalls, and whether an engine that failed works again. */
const watchIntervalMs = 1_000;

export function createPoolReadiness(options: PoolReadinessOptions): PoolReadiness {
  const { isManned, noWorkerMaxMs = defaultNoWorkerMaxMs } = options;
  const recent = createRecentSuccess(options.recentSuccess ?? defaultRecentSuccessLimits, () =>
    performance.now(),
  );
  let wasReady = false;
  let isClosed = false;
  /** When the last thread was lost; undefined while one lives and before the first. */
  let noWorkerSince: number | undefined;
  const watch = setInterval(() => {
    noteReadiness();
    failOrphans();
    options.onWatch?.();
  }, watchIntervalMs).unref();

  const isReady = () => isManned() && !isClosed && recent.isTrusted(options.oldestMs());

  function noteReadiness(): void {
    const now = isReady();
    if (now === wasReady) return;
    wasReady = now;
    options.onReadyChanged(now);
  }

  function failOrphans(): void {
    if (noWorkerSince === undefined || performance.now() - noWorkerSince < noWorkerMaxMs) return;
    const message = `no worker has lived for ${noWorkerMaxMs / 1_000} s; they are being started, try again later`;
    options.onOrphaned(new EmbedError("NOT_READY", message));
  }

  return {
    isReady,
    noteSuccess() {
      recent.noteSuccess();
      noteReadiness();
    },
    noteFailure: recent.noteFailure,
    noteThreads() {
      noWorkerSince = isManned() ? undefined : (noWorkerSince ?? performance.now());
      noteReadiness();
    },
    close() {
      isClosed = true;
      clearInterval(watch);
    },
  };
}
