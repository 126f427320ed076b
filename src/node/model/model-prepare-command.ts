import { dirname } from "node:path";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { commandName } from "../command-name.ts";

/**
 * The command, ready to paste, that prepares a model in this cache and no other.
 * @param option what else it is given, such as `--force`
 */
export function prepareCommandLine(
  { name, precision }: Pick<ModelManifest, "name" | "precision">,
  cacheDir: string,
  option: string,
): string {
  const variant = precision === "fp32" ? "" : ` --variant ${precision}`;
  return `${commandName()} prepare ${name}${variant} --cache ${quoteForShell(cacheDir)} ${option}`;
}

/** The command that imports a model of the user's own again; only the user knows where its file lies. */
export function importCommandLine(file: string, { name }: Pick<ModelManifest, "name">): string {
  const modelsDir = dirname(dirname(file));
  return `${commandName()} import FILE --name ${name} --models-dir ${quoteForShell(modelsDir)} --force`;
}

/** As POSIX shells read it; a path of plain characters stays as it is. */
export function quoteForShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
