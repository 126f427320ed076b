import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A server of the tiny network in a process of its own. */
export interface TinyProcess {
  /** http://HOST:PORT */
  readonly url: string;
  readonly pid: number;
  /** @returns its exit code, null if a signal ended it */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `serve-tiny.ts` with these flags and waits until it is ready; what it logs goes to stderr. */
export async function startTiny(flags: readonly string[] = []): Promise<TinyProcess> {
  const script = fileURLToPath(new URL("serve-tiny.ts", import.meta.url));
  const child = spawn(process.execPath, [script, ...flags], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const ready = Promise.withResolvers<{ url: string; pid: number }>();
  createInterface(child.stdout).on("line", (line) => {
    if (line.startsWith('{"url"')) ready.resolve(JSON.parse(line) as { url: string; pid: number });
  });
  void exited.then(([code]) => ready.reject(new Error(`the tiny server ended with exit code ${code}`)));
  return {
    ...(await ready.promise),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
