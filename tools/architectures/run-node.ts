import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageFile } from "../../src/node/package-file.ts";
import { type ProgramEnd, runToEnd } from "../run-to-end.ts";
import type { LookedAtNode } from "./looked-at-nodes.ts";
import type { Value, Work } from "./work.ts";

/** What this Node makes, in a process of its own; an engine that it lacks is not asked. */
export async function makeValues(
  folder: string,
  { name, command, lacks }: Pick<LookedAtNode, "name" | "command" | "lacks">,
  work: Work,
): Promise<readonly Value[]> {
  const runs = work.runs.map((run) => ({
    ...run,
    engines: run.engines.filter((engine) => !lacks.includes(engine)),
  }));
  const file = join(folder, `work of ${name} ${counter++}.json`);
  await writeFile(file, JSON.stringify({ ...work, runs }));
  const { code, stdout, stderr } = await runOn(command, ["tools/architectures/make-values.ts", file]);
  if (code !== 0) throw new Error(`${name}: make-values.ts ended with exit code ${code}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line.startsWith('{"group"'))
    .map((line) => JSON.parse(line) as Value);
}

/** So that two works of one Node have files of their own. */
let counter = 0;

/** A program in this Node, from the root of the repository, where onnxruntime-node is found if tools/ort-native has it. */
export function runOn(command: readonly string[], args: readonly string[]): Promise<ProgramEnd> {
  return runToEnd([...command, ...args], ortNativeEnv);
}

const ortNativeEnv = { NODE_PATH: packageFile("tools/ort-native/node_modules") };
