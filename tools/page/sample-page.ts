import { bodyOfBytes } from "../../src/node/page/page-body.ts";
import type { PageSource } from "../../src/node/page/page-source.ts";

/** A page of a few files, as the build makes them, for tests of what serves them. */
export const samplePage: Readonly<Record<string, string>> = {
  "index.html": `<!doctype html><meta charset="utf-8"><meta name="portico" content='{}'><title>sample</title>`,
  "service-worker.js": 'const version = "PORTICO_PAGE_VERSION";',
  "LICENSES.txt": "preact: MIT",
  "assets/main-0a1b2c3d.js": "export {};",
  "assets/main-0a1b2c3d.js.br": "brotli of it",
  "assets/main-0a1b2c3d.js.gz": "gzip of it",
  "assets/kernels-0a1b2c3d.wasm": "\0asm",
  "assets/kernels-0a1b2c3d.wasm.br": "brotli of that",
};

export const openSamplePage = async (): Promise<PageSource> =>
  new Map(
    Object.entries(samplePage).map(([path, text]) => [path, bodyOfBytes(new TextEncoder().encode(text))]),
  );
