import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "vite";
import { resolveCacheDir } from "../../src/node/model/model-cache.ts";
import { prepareModel } from "../../src/node/model/model-store.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { createCases, reportCases } from "../cases.ts";
import { requireTool, skipFor } from "../require-tool.ts";
import { startPortico } from "../start-portico.ts";
import { expectReport, expectServerReport, manifest, photoFile, type Report } from "./expect-reports.ts";
import { inChromium } from "./in-chromium.ts";
import { startPageHost } from "./page-host.ts";
import { inPackage, pageVisits } from "./page-visits.ts";
import { checkVisit, pageTimeoutMs, visit } from "./visit-page.ts";

/**
 * Tests the package as its users get it: packs what `npm run build` wrote, installs it in an empty folder, and uses it
 * there, in Node 22, 24 and 26 and in Chromium.
 *
 * node tools/package/test-package.ts [FILE]: FILE gets {passed, failed, skipped, results} as JSON.
 */

const run = promisify(execFile);
const onnxFile = await prepareModel(manifest);
const folder = mkdtempSync(join(tmpdir(), "portico-package-"));
const cases = createCases();

async function install(): Promise<void> {
  const packed = await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder]);
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...options, `./${filename}`], { cwd: folder });
  cpSync(packageFile("tools/package/app"), folder, { recursive: true });
}

async function runProgram(node: string, engine: string): Promise<void> {
  const args = ["program.mjs", photoFile, resolveCacheDir()];
  const env = { ...process.env, ENGINE: engine };
  const { stdout, stderr } = await run(node, args, { cwd: folder, env, timeout: pageTimeoutMs });
  if (stderr !== "") throw new Error(`expected nothing on stderr, got ${stderr}`);
  expectReport(JSON.parse(stdout) as Report, {
    engine,
    reasons: {
      badPicture: "IMAGE_UNSUPPORTED",
      aborted: "CANCELLED",
      noModel: "MODEL_UNKNOWN",
      noEngine: "CONFIG_INVALID",
      disposed: "SHUTTING_DOWN",
      stopped: "CANCELLED",
    },
    // The model was in the cache.
    events: [],
  });
}

await cases.run("packed and installed in an empty folder", install);

for (const module of ["nodenext", "bundler"]) {
  await cases.run(`types, moduleResolution ${module}`, async () => {
    const kind = ["--module", module === "bundler" ? "esnext" : module, "--moduleResolution", module];
    const target = ["--target", "es2023", "--lib", "es2023,dom", "--types", ""];
    const options = [...kind, ...target, "--strict", "--noEmit", "--ignoreConfig", "types.ts"];
    await run(packageFile("node_modules/.bin/tsc"), options, { cwd: folder }).catch((error) => {
      throw new Error(error.stdout as string);
    });
  });
}

const nodes: Readonly<Record<string, string>> = {
  "Node 22": packageFile("tools/package/nodes/node_modules/node22/bin/node"),
  [`Node ${process.versions.node.split(".")[0]}`]: process.execPath,
  "Node 26": packageFile("tools/package/nodes/node_modules/node26/bin/node"),
};
for (const [name, node] of Object.entries(nodes)) {
  for (const engine of ["simd", "ort-wasm"]) {
    const title = `${name}, ${engine}`;
    if (existsSync(node)) await cases.run(title, () => runProgram(node, engine));
    else cases.skip(title);
  }
  if (!existsSync(node)) skipFor(name, "in tools/package/nodes (npm ci --prefix tools/package/nodes)");
}

const chromium = requireTool("chromium");
const bundled = join(folder, "bundled");
await cases.run("bundled by Vite", async () => {
  const input = ["index.html", "client.html"].map((page) => join(folder, page));
  await build({
    root: folder,
    logLevel: "warn",
    build: { outDir: bundled, rolldownOptions: { input } },
  });
});
for (const { runs, ortThreads, ...one } of pageVisits(folder, bundled)) {
  const how = `${one.threads} threads${one.isIsolated ? ", isolated" : ""}${one.instead ? ", broken kernels" : ""}`;
  const title = `Chromium, ${one.page}, ${one.engine}, ${how}`;
  if (chromium)
    await cases.run(title, () => checkVisit({ ...one, chromium, onnxFile }, { engine: runs }, ortThreads));
  else cases.skip(title);
}
const lostWorker = "Chromium, a worker that cannot be loaded";
if (chromium) {
  await cases.run(lostWorker, async () => {
    const instead = { [`${inPackage}/embed-worker.js`]: join(folder, "none") };
    const page = { root: folder, page: "plain.html", engine: "auto", threads: 1, isIsolated: false };
    const { report } = await visit({ ...page, instead, chromium, onnxFile });
    const expected = "ENGINE_FAILED EmbedError: the Web Worker was lost: its script cannot be loaded";
    if (!report.error?.startsWith(expected)) throw new Error(`expected ${expected}, got ${report.error}`);
  });
} else cases.skip(lostWorker);

/** Starts the server of the installed package for pages of this origin. */
const startServer = (origin: string) =>
  startPortico({
    entry: join(folder, "node_modules/portico/dist/cli/portico.js"),
    args: ["--workers", "1", "--cors-origins", origin],
  });

await cases.run("portico/client in Node", async () => {
  const server = await startServer("http://page.example");
  try {
    const args = ["client.mjs", `http://${server.address}`, photoFile];
    const { stdout } = await run(process.execPath, args, { cwd: folder, timeout: pageTimeoutMs });
    expectServerReport(JSON.parse(stdout));
  } finally {
    await server.stop();
  }
});

async function callFromPage(program: string): Promise<void> {
  const connectTo = "http://127.0.0.1:*";
  const files = { "/photo.jpg": photoFile };
  const pages = { folder: bundled, files, isIsolated: false, hasInlineScripts: false, connectTo };
  const host = await startPageHost(pages);
  const server = await startServer(host.url);
  try {
    const url = `${host.url}/client.html?server=http://${server.address}`;
    expectServerReport(JSON.parse(await inChromium(program, url, host.report(), pageTimeoutMs)));
  } finally {
    await server.stop();
    await host.close();
  }
}
const fromPage = "portico/client in Chromium, across origins";
if (chromium) await cases.run(fromPage, () => callFromPage(chromium));
else cases.skip(fromPage);

rmSync(folder, { recursive: true, force: true });
reportCases(cases.results, process.argv[2]);
