import { createHash } from "node:crypto";
import { EmbedError } from "../../errors.ts";
import { readWhole } from "./page-body.ts";
import { type PageConfig, withPageConfig } from "./page-config.ts";
import type { PageSource } from "./page-source.ts";

/** What the bundle of the service worker has in the place of the page's version. */
const versionPlaceholder = "PORTICO_PAGE_VERSION";

/** The two files that depend on who serves the page; all others are the same everywhere. */
export interface FinishedPage {
  readonly "index.html": Uint8Array;
  readonly "service-worker.js": Uint8Array;
}

/**
 * Puts the configuration into index.html, and into the service worker a version that changes with any file of the page:
 * browsers see by it that there is another page.
 * @param policy goes into index.html, for hosts that send no headers
 * @throws EmbedError `INTERNAL` if a file is not what the build makes
 */
export async function finishPage(
  source: PageSource,
  config: PageConfig,
  policy?: string,
): Promise<FinishedPage> {
  const html = withPageConfig(await textOf(source, "index.html"), config, policy);
  const worker = await textOf(source, "service-worker.js");
  if (!worker.includes(versionPlaceholder)) {
    throw new EmbedError("INTERNAL", `expected service-worker.js of the page to hold ${versionPlaceholder}`);
  }
  // The worker names all files with a hash of their content.
  const version = createHash("sha256").update(html).update(worker).digest("hex").slice(0, 16);
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    "index.html": encode(html),
    "service-worker.js": encode(worker.replaceAll(versionPlaceholder, version)),
  };
}

async function textOf(source: PageSource, path: string): Promise<string> {
  const body = source.get(path);
  if (!body) throw new EmbedError("INTERNAL", `expected the built page to hold ${path}, got no such file`);
  return new TextDecoder().decode(await readWhole(body));
}
