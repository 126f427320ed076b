import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { build, type Plugin } from "rolldown";
import { toBrotli, toGzip } from "../src/node/page/compress.ts";
import { browserFiles, bundledPackages, licences } from "./build-browser.ts";

/** The page's files by their path, which has no leading slash. Those in `assets/` have the hash of their content in their name. */
export type PageBundle = ReadonlyMap<string, Uint8Array>;

const folder = "src/web/page";

/** As `bundledPackages`: the client of a server, and what draws the page. */
const packages = {
  ...bundledPackages,
  "@connectrpc/connect": [],
  "@connectrpc/connect-web": [],
  preact: ["LICENSE"],
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
  const { entry, needed } = await bundleCode(files, engineFiles);
  files.set("index.html", toBytes(pageHtml(files, entry, needed)));
  files.set("LICENSES.txt", toBytes(licences(packages)));
  files.set("service-worker.js", await bundleServiceWorker(files));
  return files;
}

/** Larger files are written compressed only: plain they are six times that, and only old browsers take nothing else. */
const plainMaxBytes = 2 ** 20;

/** Writes the page to dist/page: each file, and beside it what it is compressed, as far as that is worth it. */
export async function buildPage(): Promise<void> {
  rmSync("dist/page", { recursive: true, force: true });
  await Promise.all(
    [...(await bundlePage())].map(async ([path, content]) => {
      const file = `dist/page/${path}`;
      mkdirSync(dirname(file), { recursive: true });
      if (content.length <= plainMaxBytes) writeFileSync(file, content);
      // Whoever serves the page changes these two, and compresses them then.
      if (path === "index.html" || path === "service-worker.js") return;
      writeFileSync(`${file}.br`, await toBrotli(content));
      // Browsers take brotli wherever WebAssembly may check a model's hash: https and this machine.
      if (!path.endsWith(".wasm")) writeFileSync(`${file}.gz`, await toGzip(content));
    }),
  );
}

/**
 * Bundles the page's code, and that of its workers, which share what both need.
 * @returns the paths of the entry and of the chunks that it needs at once
 */
async function bundleCode(
  files: Map<string, Uint8Array>,
  engineFiles: ReadonlyMap<string, string>,
): Promise<{ readonly entry: string; readonly needed: readonly string[] }> {
  const input = `${folder}/main.tsx`;
  const { output } = await build({
    input,
    platform: "browser",
    logLevel: "warn",
    write: false,
    plugins: [nameFetchedFiles(files, engineFiles)],
    output: {
      format: "esm",
      minify: true,
      entryFileNames: "assets/[name]-[hash].js",
      chunkFileNames: "assets/[name]-[hash].js",
    },
  });
  const chunks = new Map(output.flatMap((part) => (part.type === "chunk" ? [[part.fileName, part]] : [])));
  for (const [path, { code }] of chunks) files.set(path, toBytes(code));
  const entry = [...chunks.values()].find(({ facadeModuleId }) => facadeModuleId === resolve(input))!;
  const needed = new Set<string>(entry.imports);
  for (const path of needed) for (const next of chunks.get(path)?.imports ?? []) needed.add(next);
  return { entry: entry.fileName, needed: [...needed] };
}

/**
 * Puts the names that files have in the bundle into `new URL("./FILE", import.meta.url)`: all lie beside the chunks. A FILE.js
 * that is FILE.ts in the sources is a worker, and an entry of its own.
 */
function nameFetchedFiles(files: Map<string, Uint8Array>, engineFiles: ReadonlyMap<string, string>): Plugin {
  return {
    name: "name-fetched-files",
    transform: {
      filter: { id: /[\\/]src[\\/]web[\\/]/ },
      handler(code, id) {
        const pattern = /new URL\(\s*"\.\/([^"]+)",\s*import\.meta\.url,?\s*\)/g;
        const named = code.replace(pattern, (_whole, name: string) => {
          const worker = join(dirname(id), name.replace(/\.js$/, ".ts"));
          if (name.endsWith(".js") && existsSync(worker)) {
            const chunk = this.emitFile({ type: "chunk", id: worker, name: name.replace(/\.js$/, "") });
            return `new URL(import.meta.ROLLUP_FILE_URL_${chunk})`;
          }
          const asset = engineFiles.get(name) ?? addAsset(files, name, readFileSync(join(dirname(id), name)));
          return `new URL("./${asset}", import.meta.url)`;
        });
        return named === code ? null : { code: named, map: null };
      },
    },
  };
}

/** index.html with the paths that its files have in the bundle; what its script needs is fetched along with it. */
function pageHtml(files: Map<string, Uint8Array>, entry: string, needed: readonly string[]): string {
  const html = readFileSync(`${folder}/index.html`, "utf8");
  const preloads = needed.map((path) => `    <link rel="modulepreload" href="./${path}">\n`).join("");
  return html
    .replace(/(src|href)="\.\/([^"]+)"/g, (_whole, attribute: string, name: string) => {
      if (name === "main.tsx") return `${attribute}="./${entry}"`;
      return `${attribute}="./assets/${addAsset(files, name, readFileSync(`${folder}/${name}`))}"`;
    })
    .replace("  </head>", () => `${preloads}  </head>`);
}

/** One file, at a path that never changes, with the list of all others in it. */
async function bundleServiceWorker(files: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  const assets = [...files.keys()].filter((path) => path.startsWith("assets/")).sort();
  const { output } = await build({
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
  return toBytes(output[0].code);
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
