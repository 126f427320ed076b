import { chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A golden of fixtures/golden/imported: what real Keras made of the two photographs that ship. */
export interface KerasGolden {
  readonly file: string;
  readonly preprocess: string;
  readonly interpolation: string;
  readonly madeBy: string;
  readonly vectors: readonly { readonly image: string; readonly vector: string }[];
}

export async function readKerasGolden(name: string): Promise<KerasGolden> {
  const file = fileURLToPath(new URL(`../fixtures/golden/imported/${name}.json`, import.meta.url));
  return JSON.parse(await readFile(file, "utf8")) as KerasGolden;
}

/**
 * A program in Python's place, in a new folder: it is called as Python is, with the script, its settings and the file to
 * write, and runs `code` with these as `settings` and `write`.
 * @returns its path
 */
export async function makeStandIn(code: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-python-"));
  const file = join(folder, "python3");
  const program = `#!${process.execPath}
const { readFileSync, writeFileSync } = require("node:fs");
const [script, settingsFile, out] = process.argv.slice(2);
if (!readFileSync(script, "utf8").startsWith('"""Vectors of a model by real Keras')) process.exit(9);
const settings = JSON.parse(readFileSync(settingsFile, "utf8"));
const write = (result) => writeFileSync(out, JSON.stringify(result));
${code}
`;
  await writeFile(file, program);
  await chmod(file, 0o755);
  return file;
}

/** As the script of `portico import` writes them: base64 by picture. */
export function toVectors({ vectors }: Pick<KerasGolden, "vectors">): Readonly<Record<string, string>> {
  return Object.fromEntries(vectors.map(({ image, vector }) => [image, vector]));
}

/** A stand-in that writes what real Keras made, if it is asked for the same. */
export function makeGoldenStandIn({ madeBy, vectors, file, ...golden }: KerasGolden): Promise<string> {
  return makeStandIn(`
if (settings.mode !== ${JSON.stringify(golden.preprocess)}) process.exit(8);
if (settings.interpolation !== ${JSON.stringify(golden.interpolation)}) process.exit(7);
if (!settings.file.endsWith(${JSON.stringify(file)})) process.exit(6);
write({ madeBy: ${JSON.stringify(madeBy)}, vectors: ${JSON.stringify(toVectors({ vectors }))} });`);
}
