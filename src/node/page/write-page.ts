import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EmbedError } from "../../errors.ts";
import { finishPage } from "./finish-page.ts";
import { readWhole } from "./page-body.ts";
import { hasPageConfig, toConfigModels } from "./page-config.ts";
import { contentSecurityPolicyOfMeta, pageHeaders } from "./page-headers.ts";
import { modelPath, type PageModel } from "./page-model.ts";
import type { PageSource } from "./page-source.ts";

export interface WritePageOptions {
  /** Made if it is not there; else it must be empty, or hold a page. */
  readonly folder: string;
  /** Origin of the server that the page calls; undefined: none, only the ways in the browser. */
  readonly server?: string | undefined;
  /** Copied beside the page, which begins with the first; they must have been prepared. */
  readonly models: readonly PageModel[];
}

/** What was written, by path, and its size in bytes. */
export type WrittenPage = readonly { readonly path: string; readonly bytes: number }[];

/** Cloudflare Pages and Netlify read it. */
const headersFile = "_headers";

/**
 * Writes the page as files that any host may serve, from any of its folders: index.html holds the policy that a server
 * would send, and `_headers` says which headers the host should add, in the form that several hosts read.
 * @throws EmbedError `CONFIG_INVALID` if the folder holds something else, or cannot be written
 */
export async function writePage(source: PageSource, options: WritePageOptions): Promise<WrittenPage> {
  const { folder, server, models } = options;
  const config = {
    ...(server !== undefined && { server }),
    models: toConfigModels(models),
    needsToken: false,
  };
  const finished = await finishPage(source, config, contentSecurityPolicyOfMeta(server));
  const written: { path: string; bytes: number }[] = [];
  const write = async (path: string, content: Uint8Array) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    written.push({ path, bytes: content.length });
  };
  try {
    await refuseOtherFolder(folder);
    for (const [path, body] of source) {
      // Hosts compress by themselves.
      if (!/\.(br|gz)$/.test(path) && !(path in finished)) await write(path, await readWhole(body));
    }
    for (const [path, content] of Object.entries(finished)) await write(path, content);
    await write(headersFile, new TextEncoder().encode(headersText(server)));
    for (const model of models) {
      await mkdir(join(folder, "models"), { recursive: true });
      await copyFile(model.path, join(folder, modelPath(model)));
      written.push({ path: modelPath(model), bytes: model.bytes });
    }
  } catch (cause) {
    if (cause instanceof EmbedError) throw cause;
    const message = `--out: cannot write ${folder}: ${(cause as Error).message}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause });
  }
  return written;
}

/** What lies there is overwritten only where it is a page of Portico. */
async function refuseOtherFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const names = await readdir(folder);
  // What is not there or cannot be read is no page.
  const html = await readFile(join(folder, "index.html"), "utf8").catch(() => "");
  if (names.length === 0 || hasPageConfig(html)) return;
  const message = `--out: expected an empty folder or one that holds a page, got ${folder} with ${names.length} other entries`;
  throw new EmbedError("CONFIG_INVALID", message);
}

/** As Cloudflare Pages, Netlify and others read it: a pattern of paths, and under it the headers. */
function headersText(server: string | undefined): string {
  const lines = (headers: Readonly<Record<string, string>>) =>
    Object.entries(headers).map(([name, value]) => `  ${name}: ${value}\n`);
  return [
    "/*\n",
    ...lines(pageHeaders(server)),
    "/assets/*\n",
    ...lines({ "cache-control": "public, max-age=31536000, immutable" }),
  ].join("");
}
