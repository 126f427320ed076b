import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { packageFile } from "../../src/node/package-file.ts";

/** A shell as a reader of a page has it. */
export interface ReaderShell {
  /** What differs from this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a snippet; gives what it prints. @throws if it fails */
  run(code: string, env?: Readonly<Record<string, string>>): Promise<{ stdout: string; stderr: string }>;
}

/**
 * @param folder gets the command `portico`
 * @param entry what that command is: the path of a `portico.ts`
 * @param cwd where snippets run
 */
export async function createReaderShell(
  folder: string,
  entry: string,
  cwd: string,
  more: Readonly<Record<string, string>>,
): Promise<ReaderShell> {
  const file = join(folder, "portico");
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`, { mode: 0o755 });
  const path = [folder, packageFile("node_modules/.bin"), process.env.PATH].join(delimiter);
  const env = { PATH: path, ...more };
  return {
    env,
    run: (code, own = {}) =>
      // Bash takes a program's pipe for a remote shell's and would read the system's bashrc.
      promisify(execFile)("bash", ["--norc", "-euo", "pipefail", "-c", code], {
        cwd,
        env: { ...withoutNpm(process.env), ...env, ...own },
        maxBuffer: 2 ** 24,
      }),
  };
}

/** What npm and npx tell their children: `portico` was not started by them. */
function withoutNpm(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^npm_(lifecycle|command)/.test(name)));
}
