import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { build, type OutputOptions, type Plugin, type RolldownOutput } from "rolldown";
import { toBrotli, toGzip } from "../src/node/page/compress.ts";
import { browserFiles, bundledPackages, licences } from "./build-browser.ts";

/** The page's files by their path, which has no leading slash. Those in `assets/` have the hash of their content in their name. */
export type PageBundle = ReadonlyMap<string, Uint8Array>;

const folder = "src/web/page";

const output: OutputOptions = {
  format: "esm",
  minify: true,
  entryFileNames: "assets/[name]-[hash].js",
  chunkFileNames: "assets/[name]-[hash].js",
};

/**
 * Bundles the page from its sources, with the engines of src/web in it: about a second. Files that the code fetches, each
 * named as `new URL("./FILE", import.meta.url)`, come along under names with their hash, and so do those of index.html.
 * Run it from the root of the repository.
 * @throws Error if a source cannot be bundled, or names a file that is not there
 */
export async function bundlePage(): Promise<PageBundle> {
  const files = new Map<string, Uint8Array>();
  const engineFiles = new Map(
    Object.entries(browserFiles()).map(([name, content]) => [name, addAsset(files, name, content)]),
  );
  const main = await bundle(files, `${folder}/main.tsx`, engineFiles);
  files.set("index.html", toBytes(pageHtml(files, main)));
  const packages = { ...bundledPackages, preact: ["LICENSE"] };
  files.set("LICENSES.txt", toBytes(licences(packages)));
  files.set("service-worker.js", await bundleServiceWorker(files));
  return files;
}

/** Writes the page to dist/page: each file, and beside it what it is compressed, as far as that is worth it. */
export async function buildPage(): Promise<void> {
  rmSync("dist/page", { recursive: true, force: true });
  await Promise.all(
    [...(await bundlePage())].map(async ([path, content]) => {
      const file = `dist/page/${path}`;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      // Whoever serves the page changes these two, and compresses them then.
      if (path === "index.html" || path === "service-worker.js") return;
      writeFileSync(`${file}.br`, await toBrotli(content));
      // Browsers take brotli wherever WebAssembly may check a model's hash: https and this machine.
      if (!path.endsWith(".wasm")) writeFileSync(`${file}.gz`, await toGzip(content));
    }),
  );
}

/** Adds the chunks of one entry. @returns the file name of the entry itself, in `assets/` */
async function bundle(
  files: Map<string, Uint8Array>,
  input: string,
  engineFiles: ReadonlyMap<string, string>,
): Promise<string> {
  const built = await build({
    input,
    platform: "browser",
    logLevel: "warn",
    write: false,
    plugins: [nameAssets(files, engineFiles)],
    output,
  });
  for (const chunk of chunksOf(built)) files.set(chunk.fileName, toBytes(chunk.code));
  return chunksOf(built)
    .find(({ isEntry }) => isEntry)!
    .fileName.replace("assets/", "");
}

const chunksOf = ({ output }: RolldownOutput) => output.filter((part) => part.type === "chunk");

/**
 * Puts the names that files have in the bundle into `new URL("./FILE", import.meta.url)`: all lie beside the chunks. A FILE.js
 * that is FILE.ts in the sources is a worker, and an entry of its own.
 */
function nameAssets(files: Map<string, Uint8Array>, engineFiles: ReadonlyMap<string, string>): Plugin {
  const find = (name: string, folder: string): string | Promise<string> => {
    const worker = join(folder, name.replace(/\.js$/, ".ts"));
    if (name.endsWith(".js") && existsSync(worker)) return bundle(files, worker, engineFiles);
    return engineFiles.get(name) ?? addAsset(files, name, readFileSync(join(folder, name)));
  };
  return {
    name: "name-assets",
    transform: {
      filter: { id: /[\\/]src[\\/]web[\\/]/ },
      async handler(code, id) {
        const pattern = /new URL\(\s*"\.\/([^"]+)",\s*import\.meta\.url,?\s*\)/g;
        let named = code;
        for (const [whole, name] of code.matchAll(pattern)) {
          const asset = await find(name as string, dirname(id));
          named = named.replace(whole, `new URL("./${asset}", import.meta.url)`);
        }
        return named === code ? null : { code: named, map: null };
      },
    },
  };
}

/** index.html with the names that its files have in the bundle. */
function pageHtml(files: Map<string, Uint8Array>, main: string): string {
  const html = readFileSync(`${folder}/index.html`, "utf8");
  return html.replace(/(src|href)="\.\/([^"]+)"/g, (_all, attribute: string, name: string) => {
    const asset = name === "main.tsx" ? main : addAsset(files, name, readFileSync(`${folder}/${name}`));
    return `${attribute}="./assets/${asset}"`;
  });
}

/** One file, at a path that never changes, with the list of all others in it. */
async function bundleServiceWorker(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const assets = [...files.keys()].filter((path) => path.startsWith("assets/")).sort();
  const built = await build({
    input: `${folder}/service-worker.ts`,
    platform: "browser",
    logLevel: "warn",
    write: false,
    // Whoever serves the page puts its version in the place of the name (src/node/page/finish-page.ts).
    transform: {
      define: { PAGE_ASSETS: JSON.stringify(assets), PAGE_VERSION: '"PORTICO_PAGE_VERSION"' },
    },
    output: { format: "iife", minify: true, codeSplitting: false },
  });
  return toBytes(chunksOf(built)[0]!.code);
}

/** @returns its name in `assets/` */
function addAsset(files: Map<string, Uint8Array>, name: string, content: Uint8Array | string): string {
  const bytes = toBytes(content);
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 8);
  const extension = extname(name);
  const hashed = `${name.slice(0, name.length - extension.length)}-${hash}${extension}`;
  files.set(`assets/${hashed}`, bytes);
  return hashed;
}

const toBytes = (content: Uint8Array | string): Uint8Array =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;
