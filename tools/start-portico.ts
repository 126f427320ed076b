import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A real `portico serve` in a process of its own, for tests and benchmarks. */
export interface PorticoProcess {
  readonly child: ChildProcess;
  /** HOST:PORT for clients on this machine. */
  readonly address: string;
  /** From the start of the process to the first vector that passed the self-check. */
  readonly startMs: number;
  /** Every line of the log so far, parsed. */
  readonly log: readonly LogLine[];
  /** What it printed on stderr so far. */
  stderr(): string;
  /** Asks it to stop; resolves to the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface StartPorticoOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Entry to run, from the root of the repository. */
  readonly entry?: string;
  /** The log line to wait for. */
  readonly until?: string;
  /** Program and first arguments; by default the Node that runs this. */
  readonly node?: readonly string[];
}

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * Starts a server on a free port of 127.0.0.1, unless `args` or `env` say otherwise, and waits until it is
 * ready. What it prints on stderr is in the error if it ends before.
 */
export async function startPortico(options: StartPorticoOptions = {}): Promise<PorticoProcess> {
  const { args = [], entry = "src/cli/portico.ts", until = "ready", node = [process.execPath] } = options;
  const [program, ...before] = node as [string, ...string[]];
  const chosen = args.includes("--listen") || options.env?.OP_ENDPOINT ? [] : ["--listen", "127.0.0.1:0"];
  const startedAt = performance.now();
  const child = spawn(program, [...before, entry, "serve", ...chosen, ...args], {
    cwd: root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: LogLine[] = [];
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });

  const reached = Promise.withResolvers<void>();
  createInterface(child.stdout).on("line", (line) => {
    const entry = line.startsWith("{") ? (JSON.parse(line) as LogLine) : { msg: line };
    log.push(entry);
    if (entry.msg === until) reached.resolve();
  });
  child.once("exit", (code) => reached.reject(new Error(`portico ended with exit code ${code}: ${stderr}`)));
  await reached.promise;

  const { url } = log.find(({ url }) => typeof url === "string") as { url?: string };
  return {
    child,
    address: (url as string).replace(/^https?:\/\//, ""),
    startMs: performance.now() - startedAt,
    log,
    stderr: () => stderr,
    async stop(signal = "SIGTERM") {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, "exit");
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
