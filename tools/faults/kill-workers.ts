import type { Worker } from "node:worker_threads";

export interface WorkerKiller {
  kills(): number;
  stop(): void;
}

/**
 * From now on ends a random worker thread of this process at random times, whether it starts up, waits or works;
 * but none before the first one is ready: a server that never had a worker ends, as it should.
 * @param meanIntervalMs mean time between two kills
 */
export function killWorkersAtRandom(meanIntervalMs: number, onKill?: () => void): WorkerKiller {
  const threads = new Set<Worker>();
  let kills = 0;
  let timer: NodeJS.Timeout | undefined;

  const onWorker = (worker: Worker) => {
    threads.add(worker);
    worker.once("exit", () => threads.delete(worker));
    worker.once("message", () => {
      timer ??= killLater();
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
      Math.random() * 2 * meanIntervalMs,
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
