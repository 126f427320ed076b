import { stat } from "node:fs/promises";

/** Whether a file lies there, with this size if one is given. */
export async function isThere(file: string, bytes?: number): Promise<boolean> {
  try {
    const stats = await stat(file);
    return stats.isFile() && (bytes === undefined || stats.size === bytes);
  } catch (error) {
    // ENOTDIR: a file lies where a folder should; making the folder reports it.
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw error;
  }
}
