import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A peer that has loaded the model and waits. */
export interface OpenPeer {
  /** Of the library, with its name. */
  readonly version: string;
  readonly loadMs: number;
  /** Of the tensor that all get: (2048) float32, not yet normalised. */
  readonly features: Float32Array;
  /** Runs the tensor so many times; milliseconds of each. */
  run(count: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/**
 * Starts an engine that speaks lines of JSON: what it loaded, then for each number on its standard input the times.
 * @throws Error with the end of what it printed on stderr if it ends too early
 */
export async function startEngineProcess(command: string, args: readonly string[]): Promise<OpenPeer> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  async function answer<Value>(): Promise<Value> {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args.join(" ")} ended: ${stderr}`);
    return JSON.parse(value) as Value;
  }
  const { version, loadMs, features } = await answer<{
    version: string;
    loadMs: number;
    features: number[];
  }>();
  return {
    version,
    loadMs,
    features: Float32Array.from(features),
    run(count) {
      child.stdin.write(`${count}\n`);
      return answer<number[]>();
    },
    async close() {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}
