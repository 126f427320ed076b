import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";

/**
 * What has this path; undefined if nothing has. A file in the place of a folder above it counts as nothing, too: making the
 * folder reports it.
 * @throws other file system errors
 */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
