import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FetchBytes } from "../embed/host.ts";
import { EmbedError } from "../errors.ts";

/** One picture to embed: where it comes from and how to get its bytes. */
export interface EmbedSource {
  readonly name: string;
  readonly read: () => Promise<Uint8Array>;
}

/**
 * Expands what was given on the command line, in its order: a URL, a file, or a folder with everything
 * below it, sorted by path. Hidden files in folders are left out.
 */
export async function listSources(names: readonly string[], fetchBytes: FetchBytes): Promise<EmbedSource[]> {
  const lists = await Promise.all(names.map((name) => expand(name, fetchBytes)));
  return lists.flat();
}

async function expand(name: string, fetchBytes: FetchBytes): Promise<EmbedSource[]> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) return [{ name, read: () => fetchBytes(name) }];
  const isFolder = await stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [fileSource(name)];
  const entries = await readdir(name, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (path) =>
        !path
          .slice(name.length)
          .split(/[/\\]/)
          .some((part) => part.startsWith(".")),
    )
    .sort()
    .map(fileSource);
}

function fileSource(path: string): EmbedSource {
  return {
    name: path,
    read: () =>
      readFile(path).catch((cause: NodeJS.ErrnoException) => {
        throw new EmbedError("SOURCE_UNREACHABLE", `cannot read the file: ${cause.code ?? cause.message}`, {
          cause,
        });
      }),
  };
}
