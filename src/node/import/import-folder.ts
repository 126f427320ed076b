import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { modelNamePattern } from "../../embed/parse-model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { makeFolder } from "../make-folder.ts";
import { listShippedModels } from "../model/model-catalog.ts";
import { isProcessAlive } from "../model/model-temporary-file.ts";
import { statIfThere } from "../stat-if-there.ts";

/** A longer name is no name: it stands in headers, labels of metrics and file names. */
export const maxModelNameLength = 64;

/** `portico page --model none` has another meaning. */
const reservedNames = ["none"];

/**
 * Checks the name of a model to be: it becomes a folder, and must not be that of another model.
 * @throws EmbedError `CONFIG_INVALID`
 */
export async function checkNewName(modelsDir: string, name: string, force: boolean): Promise<void> {
  const refuse = (message: string) => new EmbedError("CONFIG_INVALID", `--name ${name}: ${message}`);
  if (!modelNamePattern.test(name) || name.length > maxModelNameLength) {
    throw refuse(
      `expected at most ${maxModelNameLength} of a-z, 0-9, _ and -, the first a letter or a digit`,
    );
  }
  if (reservedNames.includes(name)) throw refuse("this name has another meaning; take another");
  if ((await listShippedModels()).includes(name)) {
    throw refuse("a model of this name ships with Portico; take another");
  }
  if (!force && (await statIfThere(join(modelsDir, name)))) {
    throw refuse(
      `there is a model of this name in ${modelsDir}; replace it with --force, or take another name`,
    );
  }
}

/**
 * Makes a folder for a model, lets `fill` write into it, and gives it its name once it is whole: whoever looks sees all of
 * the model or nothing, and if `fill` fails nothing is left.
 * @param force replaces the model that has this name
 * @throws whatever `fill` throws; EmbedError `CONFIG_INVALID` if the folder cannot be written
 */
export async function fillModelFolder<T>(
  modelsDir: string,
  name: string,
  force: boolean,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  try {
    await makeFolder(modelsDir);
    await removeLeftovers(modelsDir);
    const staged = stagePath(modelsDir, name);
    await mkdir(staged);
    try {
      const filled = await fill(staged);
      await giveName(staged, modelsDir, name, force);
      return filled;
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  } catch (error) {
    const { code, syscall, path } = error as NodeJS.ErrnoException;
    if (error instanceof EmbedError || syscall === undefined) throw error;
    throw new EmbedError(
      "CONFIG_INVALID",
      `the folder of models ${modelsDir} cannot be used: ${code} at ${syscall} ${path ?? ""}; choose another with --models-dir DIR or PORTICO_MODELS`,
      { cause: error },
    );
  }
}

async function giveName(staged: string, modelsDir: string, name: string, force: boolean): Promise<void> {
  const target = join(modelsDir, name);
  const away = stagePath(modelsDir, name);
  const isReplaced = force && (await statIfThere(target)) !== undefined;
  // A folder cannot take the place of another in one step; for a moment there is none of this name.
  if (isReplaced) await rename(target, away);
  try {
    await rename(staged, target);
  } catch (error) {
    if (isReplaced) await rename(away, target);
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    throw new EmbedError(
      "CONFIG_INVALID",
      `--name ${name}: another process imported a model of this name meanwhile`,
    );
  }
  if (isReplaced) await rm(away, { recursive: true, force: true });
}

/** No name of a model begins with a dot, so nobody takes it for one. */
function stagePath(modelsDir: string, name: string): string {
  return join(modelsDir, `.${name}.${process.pid}-${randomUUID().slice(0, 8)}.partial`);
}

/** Removes what killed imports left. */
async function removeLeftovers(modelsDir: string): Promise<void> {
  for (const entry of await readdir(modelsDir)) {
    const pid = Number(/^\.[a-z0-9_-]+\.(\d+)-[0-9a-f]{8}\.partial$/.exec(entry)?.[1]);
    if (!pid || pid === process.pid || isProcessAlive(pid)) continue;
    await rm(join(modelsDir, entry), { recursive: true, force: true });
  }
}
