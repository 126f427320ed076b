import { startTiny, type TinyProcess } from "../load/start-tiny.ts";

/** A replica of the tiny server at an address of its own. It may end and be started again. */
export interface Replica {
  /** http://HOST:PORT */
  readonly url: string;
  start(): Promise<void>;
  /** @returns its exit code, null if a signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** It lives on, but does nothing more. */
  standStill(): void;
  /** Calls with pictures that it has answered since it was started. */
  readCalls(): Promise<number>;
  /** Pictures that wait for a worker. */
  readQueued(): Promise<number>;
}

/** As compose.yaml starts it, so far as load balancing goes. */
const flags = ["--workers", "1", "--shutdown-delay-ms", "3000"];

export function createReplica(address: string): Replica {
  let running: TinyProcess | undefined;
  const url = `http://${address}`;
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  return {
    url,
    async start() {
      running = await startTiny(["--listen", address, ...flags]);
    },
    async stop(signal = "SIGTERM") {
      const stopping = running;
      running = undefined;
      return stopping === undefined ? null : stopping.stop(signal);
    },
    standStill() {
      if (running) process.kill(running.pid, "SIGSTOP");
    },
    async readCalls() {
      return sumOf(await metrics(), /^portico_calls_total\{method="[^"]*\/(?:Execute|Embed)",.*\} (\d+)$/gm);
    },
    async readQueued() {
      return sumOf(await metrics(), /^portico_queue_items\{.*\} (\d+)$/gm);
    },
  };
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}
