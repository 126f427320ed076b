import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";

export interface SuiteRun {
  /** Undefined if the program was killed, for example because its time was over. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly seconds: number;
}

/**
 * Runs a program of a suite with its stderr in a file. A wedged server makes a suite wait for ever, so beyond
 * `timeoutMs`, or when this process ends, it is killed together with everything that it started.
 */
export function runSuiteProgram(
  command: readonly [string, ...string[]],
  { timeoutMs, stderrPath }: { readonly timeoutMs: number; readonly stderrPath: string },
): Promise<SuiteRun> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const stderr = openSync(stderrPath, "w");
    // A process group of its own, so that it can be killed as one.
    const child = spawn(program, args, { stdio: ["ignore", "pipe", stderr], detached: true });
    closeSync(stderr);
    let stdout = "";
    child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    const kill = () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    const onSignal = () => process.exit(1);
    const timer = setTimeout(kill, timeoutMs);
    process.on("exit", kill);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal);
    const settle = () => {
      clearTimeout(timer);
      process.off("exit", kill);
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(signal, onSignal);
    };
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("close", (code) => {
      settle();
      resolve({ exitCode: code ?? undefined, stdout, seconds: (performance.now() - started) / 1000 });
    });
  });
}
