import { rmSync } from "node:fs";
import { open, rename, stat } from "node:fs/promises";
import { EmbedError } from "../errors.ts";

/** A file that comes to its name only when it is whole; until then it lies beside it as `<path>.partial`. */
export interface OutputFile {
  append(data: string | Uint8Array): Promise<void>;
  /** Gives the file its name, in the place of an older one. */
  commit(): Promise<void>;
  /** Removes what was written, unless it was committed. Synchronous, for use at the end of a process. */
  discard(): void;
}

/** @throws EmbedError `CONFIG_INVALID` here and later if the path cannot be written */
export async function openOutputFile(path: string): Promise<OutputFile> {
  const partial = `${path}.partial`;
  const file = await orRefuse(path, async () => {
    // Found out now, not after hours of work.
    const isFolder = await stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (isFolder) throw new Error("it is a folder");
    return open(partial, "w");
  });
  return {
    append: (data) => orRefuse(path, () => file.appendFile(data)),
    commit: () =>
      orRefuse(path, async () => {
        await file.close();
        await rename(partial, path);
      }),
    discard: () => rmSync(partial, { force: true }),
  };
}

async function orRefuse<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    throw new EmbedError("CONFIG_INVALID", `--out: cannot write ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
