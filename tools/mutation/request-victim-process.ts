import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What a victim holds at this moment, after a garbage collection. */
export interface VictimState {
  readonly rssBytes: number;
  /** With the buffers beside it. */
  readonly heapBytes: number;
  readonly connections: number;
  readonly queuedItems: number;
  /** Answers until now that blame the server, each once. */
  readonly internalAnswers: readonly string[];
}

export interface RequestVictim {
  readonly pid: number;
  readonly port: number;
  /** Why the run must end: the process has ended, or has logged an error. */
  fault(): string | undefined;
  state(): Promise<VictimState>;
  stop(): Promise<void>;
}

/** Least severe log line that is a fault: pino's `error`. */
const errorLevel = 50;
/** A server that answers no message for this long is stuck; it takes milliseconds. */
const stateTimeoutMs = 30_000;

/** @param entry the module to run, beside this one */
export async function startRequestVictim(entry = "request-victim.ts"): Promise<RequestVictim> {
  const child = fork(fileURLToPath(new URL(entry, import.meta.url)), {
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const faults: string[] = [];
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-10_000);
  });
  createInterface(child.stdout!).on("line", (line) => {
    const { level } = line.startsWith("{") ? JSON.parse(line) : { level: errorLevel };
    if (level >= errorLevel) faults.push(`it logged: ${line}`);
  });
  let isStopping = false;
  const exited = once(child, "exit").then(([code, signal]) => {
    if (!isStopping) faults.unshift(`it ended with ${code ?? signal}: ${stderr}`);
    throw new Error(faults[0] ?? "it was stopped");
  });
  // Told by `fault` wherever nobody waits for it.
  exited.catch(() => undefined);

  async function next<T>(): Promise<T> {
    const signal = AbortSignal.timeout(stateTimeoutMs);
    const [message] = (await Promise.race([once(child, "message", { signal }), exited])) as [T];
    return message;
  }

  const port = await next<number>();
  return {
    pid: child.pid!,
    port,
    fault: () => faults[0],
    state() {
      const state = next<VictimState>();
      child.send("state");
      return state;
    },
    async stop() {
      isStopping = true;
      child.kill("SIGKILL");
      await exited.catch(() => undefined);
    },
  };
}
