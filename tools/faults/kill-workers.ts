import type { Worker } from "node:worker_threads";

export interface WorkerKiller {
  kills(): number;
  stop(): void;
}

/**
 * From now on ends a random worker thread of this process at random times, whether it starts up, waits or works;
 * but none before the first one is ready: a server that never had a worker ends, as it should.
 * @param meanIntervalMs mean time between two kills; the time that the first worker took to start, if that is more, so
 *   that workers of a slow or busy machine come to work at all
 */
export function killWorkersAtRandom(meanIntervalMs: number, onKill?: () => void): WorkerKiller {
  const threads = new Set<Worker>();
  let kills = 0;
  let timer: NodeJS.Timeout | undefined;
  let intervalMs = meanIntervalMs;

  const onWorker = (worker: Worker) => {
    const startedAt = performance.now();
    threads.add(worker);
    worker.once("exit", () => threads.delete(worker));
    worker.once("message", () => {
      if (timer) return;
      intervalMs = Math.max(meanIntervalMs, performance.now() - startedAt);
      timer = killLater();
    });
  };

  function killLater(): NodeJS.Timeout {
    return setTimeout(
      () => {
        timer = killLater();
        const victim = [...threads][Math.trunc(Math.random() * threads.size)];
        if (!victim) return;
        kills += 1;
        void victim.terminate();
        onKill?.();
      },
      Math.random() * 2 * intervalMs,
    );
  }

  process.on("worker", onWorker);
  return {
    kills: () => kills,
    stop() {
      process.off("worker", onWorker);
      clearTimeout(timer);
    },
  };
}
