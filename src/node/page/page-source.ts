import { readdir, readFile, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { EmbedError } from "../../errors.ts";
import { packageFile } from "../package-file.ts";
import { bodyOfBrotli, bodyOfBytes, bodyOfFile, type PageBody } from "./page-body.ts";

/** Files of the page as they were built, by their path without a leading slash; compressed ones end in .br or .gz. */
export type PageSource = ReadonlyMap<string, PageBody>;

/** Files up to this size are kept in memory, all together about 1 MB; larger ones are read when they are asked for. */
const keptMaxBytes = 2 ** 20;

/**
 * The page that was built into dist; where this runs from its sources, which it then is bundled from: a second, and
 * nothing is compressed.
 * @throws EmbedError `CONFIG_INVALID` if it was not built, or cannot be
 */
export function openPageSource(): Promise<PageSource> {
  return import.meta.url.endsWith(".ts") ? bundleFromSources() : readBuiltPage(packageFile("dist/page"));
}

/**
 * Reads what the build wrote. Of a large file it wrote the compressed form only.
 * @throws EmbedError `CONFIG_INVALID` if the folder cannot be read
 */
export async function readBuiltPage(folder: string): Promise<PageSource> {
  const inPage = (path: string) => path.slice(folder.length + 1).replaceAll(sep, "/");
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const bodies = await Promise.all(
      paths.map(async (path) => {
        const { size } = await stat(path);
        const body = size > keptMaxBytes ? bodyOfFile(path, size) : bodyOfBytes(await readFile(path));
        return [inPage(path), body] as const;
      }),
    );
    const source = new Map(bodies);
    for (const path of paths.filter((name) => name.endsWith(".br"))) {
      const plain = inPage(path).replace(/\.br$/, "");
      if (!source.has(plain)) source.set(plain, bodyOfBrotli(path));
    }
    return source;
  } catch (cause) {
    // A client is told of it: no path of this machine.
    const got = (cause as NodeJS.ErrnoException).code;
    const message = `expected the page in dist/page, where npm run build puts it, got ${got}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause });
  }
}

async function bundleFromSources(): Promise<PageSource> {
  try {
    // The bundler is a tool of the repository and no part of the package.
    const tool = packageFile("tools/build-page.ts");
    const { bundlePage } = (await import(tool)) as {
      readonly bundlePage: () => Promise<ReadonlyMap<string, Uint8Array>>;
    };
    const files = await bundlePage();
    return new Map([...files].map(([path, content]) => [path, bodyOfBytes(content)]));
  } catch (cause) {
    const message = `the page cannot be bundled from its sources: ${(cause as Error).message}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause });
  }
}
