import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { type PageEncoding, pageEncodings } from "./choose-encoding.ts";
import { toBrotli, toGzip } from "./compress.ts";
import { finishPage } from "./finish-page.ts";
import { bodyOfBytes, bodyOfFile, type PageBody, readWhole } from "./page-body.ts";
import type { PageConfig } from "./page-config.ts";
import type { PageModel } from "./page-model.ts";
import type { PageSource } from "./page-source.ts";

/** One file of the page, as it is sent. */
export interface PageFile {
  readonly contentType: string;
  readonly cacheControl: string;
  /** Weak where the file has several encodings: it names them all. */
  readonly etag: string;
  readonly body: PageBody;
  readonly encoded: ReadonlyMap<PageEncoding, PageBody>;
}

/** By file ending; the build makes no others. */
const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".json": "application/json",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/** A file in assets/ has its content's hash in its name: it never changes. */
const assetCacheControl = "public, max-age=31536000, immutable";

/** May be kept, but is asked for each time whether it is still the same. */
const otherCacheControl = "no-cache";

/** All files of the page by their path without a leading slash, ready to be sent; the models are not among them. */
export async function makePageFiles(
  source: PageSource,
  config: PageConfig,
): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [path, body] of source) {
    const contentType = contentTypes[extname(path)];
    // What is compressed stands with the file that it is made of.
    if (contentType === undefined) continue;
    const br = source.get(`${path}.br`);
    const gzip = source.get(`${path}.gz`);
    const isAsset = path.startsWith("assets/");
    files.set(path, {
      contentType,
      cacheControl: isAsset ? assetCacheControl : otherCacheControl,
      etag: isAsset ? `W/"${path}"` : etagOf(await readWhole(body)),
      body,
      encoded: new Map([...(br ? [["br", br] as const] : []), ...(gzip ? [["gzip", gzip] as const] : [])]),
    });
  }
  for (const [path, content] of Object.entries(await finishPage(source, config))) {
    const [br, gzip] = await Promise.all([toBrotli(content), toGzip(content)]);
    files.set(path, {
      contentType: contentTypes[extname(path)] as string,
      cacheControl: otherCacheControl,
      etag: etagOf(content),
      body: bodyOfBytes(content),
      encoded: new Map([
        ["br", bodyOfBytes(br)],
        ["gzip", bodyOfBytes(gzip)],
      ]),
    });
  }
  return files;
}

/** The model's file as it is sent; undefined while it is not there, or not as large as it must be. */
export async function findModelFile({ sha256, bytes, path }: PageModel): Promise<PageFile | undefined> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (!stats?.isFile() || stats.size !== bytes) return undefined;
  return {
    contentType: "application/octet-stream",
    cacheControl: otherCacheControl,
    etag: `"${sha256}"`,
    body: bodyOfFile(path, bytes),
    encoded: new Map(),
  };
}

/** The encodings that a file lies ready in, best first. */
export const encodingsOf = ({ encoded }: PageFile): readonly PageEncoding[] =>
  pageEncodings.filter((name) => encoded.has(name));

const etagOf = (content: Uint8Array): string =>
  `W/"${createHash("sha256").update(content).digest("hex").slice(0, 32)}"`;
