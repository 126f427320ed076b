import { commandName } from "../command-name.ts";

/**
 * The command, ready to paste, that prepares a model in this cache and no other.
 * @param option what else it is given, such as `--force`
 */
export function prepareCommandLine(model: string, cacheDir: string, option: string): string {
  return `${commandName()} prepare ${model} --cache ${quoteForShell(cacheDir)} ${option}`;
}

/** As POSIX shells read it; a path of plain characters stays as it is. */
function quoteForShell(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
