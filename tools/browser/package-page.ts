import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import type * as Portico from "../../src/web/index.ts";
import { buildBrowser } from "../build-browser.ts";
import { type PageHost, startPageHost } from "../package/page-host.ts";

/** What `page.evaluate` finds in the page's `globalThis`. */
export interface PageGlobals {
  /** The package's side for pages. */
  portico: typeof Portico;
}

export interface PackagePageOptions {
  /** Full path of Chromium. */
  readonly chromium: string;
  readonly flags?: readonly string[];
  /** What the host gives, by path, beside the package's files or instead of them: a file each. */
  readonly files: Readonly<Record<string, string>>;
  /** Paths with an ETag that stays, see `PageHostOptions`. */
  readonly tagged?: readonly string[];
  /** Whether the page is cross-origin isolated, so that threads may share memory. */
  readonly isIsolated?: boolean;
}

/** An empty page on loopback that has loaded the package, as `npm run build` writes it. */
export interface PackagePage {
  readonly page: Page;
  readonly browser: Browser;
  readonly host: PageHost;
  close(): Promise<void>;
}

/** WebGPU on SwiftShader, a GPU made of software; without it, Chromium has none on a machine without a GPU. */
export const softwareGpuFlags = ["--enable-unsafe-webgpu"];

/** @returns the folder of the package's side for pages, which the caller removes */
export async function buildPackageForPages(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portico-browser-"));
  await buildBrowser(folder);
  const script = 'import * as portico from "./index.js";\nglobalThis.portico = portico;\n';
  const html =
    '<!doctype html><html lang="en"><title>A page</title><script type="module" src="page.js"></script></html>';
  await Promise.all([writeFile(join(folder, "page.js"), script), writeFile(join(folder, "page.html"), html)]);
  return folder;
}

/** @param folder what `buildPackageForPages` wrote */
export async function openPackagePage(folder: string, options: PackagePageOptions): Promise<PackagePage> {
  const host = await startPageHost({
    folder,
    files: options.files,
    ...(options.tagged && { tagged: options.tagged }),
    isIsolated: options.isIsolated ?? true,
    hasInlineScripts: false,
  });
  const browser = await chromium.launch({
    executablePath: options.chromium,
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
      ...(options.flags ?? []),
    ],
  });
  const page = await browser.newPage();
  await page.goto(`${host.url}/page.html`);
  return {
    ...{ page, browser, host },
    async close() {
      await browser.close();
      await host.close();
    },
  };
}

export const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true });
