import { type ProgramEnd, runToEnd } from "./run-to-end.ts";

/**
 * Runs a `portico` command in a process of its own to its end.
 * @param entry to run, from the root of the repository
 * @param under a program and its arguments that start it, such as one that takes rights away
 */
export function runPortico(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  entry = "src/cli/portico.ts",
  under: readonly string[] = [],
): Promise<ProgramEnd> {
  return runToEnd([...under, process.execPath, entry, ...args], env);
}
