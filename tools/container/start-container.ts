import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LogLine } from "../start-portico.ts";
import { dockerLikeConfig, type RunOptions } from "./docker-like-config.ts";
import type { OpenImage } from "./image-store.ts";

/** A container that runs in runc as Docker would run it. */
export interface Container {
  /** What it wrote so far, line by line. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /** When `runc run` was called, as `performance.now()`. */
  readonly startedAt: number;
  /** Of its process 1, as the host counts. */
  pid(): number;
  /** A file of the host's /proc about process 1. */
  proc(file: string): string;
  /** `docker exec`: as the container's user, with its environment and rights. */
  exec(...command: readonly string[]): Promise<{ readonly code: number; readonly output: string }>;
  /** `docker kill --signal`. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** A line of the log with this message. @throws Error if it ends before */
  untilLogged(msg: string): Promise<LogLine>;
  /** Its exit code. */
  readonly ended: Promise<number | null>;
  /** Ends and removes it, whatever became of it. */
  remove(): Promise<void>;
}

let count = 0;

/** Starts a container. Its root file system is only read, so several may share one. */
export function startContainer({ root, config }: OpenImage, options: RunOptions = {}): Container {
  count += 1;
  const id = `portico-${process.pid}-${count}`;
  const bundle = mkdtempSync(join(tmpdir(), "portico-bundle-"));
  const state = join(bundle, "state");
  mkdirSync(state);
  writeFileSync(join(bundle, "config.json"), JSON.stringify(dockerLikeConfig(root, config, options)));
  const startedAt = performance.now();
  const child = spawn("runc", ["--root", state, "run", "--bundle", bundle, id], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Streams may be read for a little while after the process has ended.
  const ended = once(child, "close").then(([code]) => code as number | null);
  const [stdout, stderr]: [string[], string[]] = [[], []];
  createInterface(child.stdout).on("line", (line) => stdout.push(line));
  createInterface(child.stderr).on("line", (line) => stderr.push(line));

  const runc = (...args: readonly string[]) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      execFile("runc", ["--root", state, ...args], (error, out, err) => {
        resolve({ code: error ? Number(error.code ?? -1) : 0, output: `${out}${err}` });
      });
    });
  const pid = () => {
    const { init_process_pid } = JSON.parse(readFileSync(join(state, id, "state.json"), "utf8")) as {
      init_process_pid: number;
    };
    return init_process_pid;
  };
  return {
    stdout,
    stderr,
    startedAt,
    ended,
    pid,
    proc: (file) => readFileSync(`/proc/${pid()}/${file}`, "utf8"),
    exec: (...command) => runc("exec", id, ...command),
    async kill(signal) {
      await runc("kill", id, signal);
    },
    async untilLogged(msg) {
      const find = () =>
        stdout
          .filter((line) => line.startsWith("{"))
          .map((line) => JSON.parse(line) as LogLine)
          .find((line) => line.msg === msg);
      for (;;) {
        const line = find();
        if (line) return line;
        const more = Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
        if ((await more) === undefined && !find()) {
          throw new Error(
            `the container ended with exit code ${await ended} before "${msg}": ${stderr.join("; ")}`,
          );
        }
      }
    },
    async remove() {
      if (child.exitCode === null) await runc("kill", id, "SIGKILL");
      await ended;
      await runc("delete", "--force", id);
      rmSync(bundle, { recursive: true });
    },
  };
}
