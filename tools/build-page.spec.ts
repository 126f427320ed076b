import { brotliCompressSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { bundlePage, type PageBundle } from "./build-page.ts";

/** The script of the page without decoders other than JPEG's, which are fetched when a picture needs them; in bytes. */
const scriptMaxBytes = 150_000;

let files: PageBundle;
beforeAll(async () => {
  files = await bundlePage();
});
const textOf = (path: string) => new TextDecoder().decode(files.get(path));

test("every file in assets/ has the hash of its content in its name, and is listed by the service worker", () => {
  const assets = [...files.keys()].filter((path) => path.startsWith("assets/"));
  expect(assets.length).toBeGreaterThan(10);
  for (const path of assets) {
    expect(path).toMatch(/^assets\/[\w.-]+-[\w-]{8}\.(js|mjs|css|svg|json|wasm)$/);
    expect(textOf("service-worker.js")).toContain(path);
  }
  expect([...files.keys()].filter((path) => !path.startsWith("assets/")).sort()).toEqual([
    "LICENSES.txt",
    "index.html",
    "service-worker.js",
  ]);
});

test("what index.html and the scripts name is there, beside it", () => {
  const html = textOf("index.html");
  for (const [, path] of html.matchAll(/(?:src|href)="\.\/([^"]+)"/g))
    expect(files.has(path as string)).toBe(true);
  expect(html).not.toMatch(/(src|href)="(?!\.\/)/);
  for (const path of [...files.keys()].filter((name) => /(?<!ort[\w.]*)-[\w-]{8}\.js$/.test(name))) {
    const named = [...textOf(path).matchAll(/["'`](?:\.\/)?([\w.-]+-[\w-]{8}\.(?:js|mjs|json|wasm))["'`]/g)];
    for (const [, name] of named) expect(files.has(`assets/${name}`)).toBe(true);
  }
});

test("the script that all ways to a JPEG's vector take together stays small", () => {
  const scripts = [...files].filter(([path]) => /\.m?js$/.test(path) && !path.includes("other-decoders"));
  const sizes = scripts.map(([path, content]) => [path, brotliCompressSync(content).length] as const);
  const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
  expect(total, JSON.stringify(sizes)).toBeLessThan(scriptMaxBytes);
});

test("the licences of all that is bundled are told", () => {
  for (const name of [
    "@bufbuild/protobuf",
    "@connectrpc/connect-web",
    "@jsquash/jpeg",
    "onnxruntime-web",
    "preact",
  ]) {
    expect(textOf("LICENSES.txt")).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+: `, "m"));
  }
});
