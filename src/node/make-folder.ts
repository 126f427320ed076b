import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { statIfThere } from "./stat-if-there.ts";

/**
 * Makes a folder and those above it, one by one from the first that is there. Not `mkdir`'s own `recursive`:
 * Node 24 never ends where the system answers ENOENT in a folder that exists, as /proc does.
 * @throws file system errors; a file in the place of a folder above gives ENOTDIR
 */
export async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = [];
  for (let at = folder; !(await statIfThere(at)) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const one of missing) {
    try {
      await mkdir(one);
    } catch (error) {
      // Another process made it meanwhile. If it is no folder, whatever comes to lie in it fails and says so.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}
