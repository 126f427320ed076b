import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export interface PorticoRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a `portico` command in a process of its own to its end.
 * @param entry to run, from the root of the repository
 * @param under a program and its arguments that start it, such as one that takes rights away
 */
export async function runPortico(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  entry = "src/cli/portico.ts",
  under: readonly string[] = [],
): Promise<PorticoRun> {
  const [program, ...rest] = [...under, process.execPath, entry, ...args] as [string, ...string[]];
  const child = spawn(program, rest, {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}
