import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildPackageForPages,
  openPackagePage,
  type PackagePage,
  removeFolder,
} from "../../tools/browser/package-page.ts";
import { requireTool } from "../../tools/require-tool.ts";
import type { runWorker } from "./running-worker.ts";
import { defaultWorkerLimits, type WorkerLimits } from "./worker-limits.ts";
import type { WorkerSetup } from "./worker-messages.ts";

/** In Chromium, with workers that know three words at most. */

const chromium = requireTool("chromium");
let folder: string;
let opened: PackagePage;

const ready = `postMessage({ kind: "ready", engine: "simd" });`;
const passedOver = `postMessage({ kind: "passed-over", engine: "simd", error: {} });`;
const hold = `await new Promise((resolve) => navigator.locks.request(data.setup.lock, () => (resolve(), new Promise(() => {}))));`;
const holding = `postMessage({ kind: "holding" });`;
const workers: Readonly<Record<string, string>> = {
  silent: "",
  throws: "throw new Error('no memory')",
  slow: `onmessage = () => { let words = 0; const timer = setInterval(() => { ${passedOver} if (++words === 6) clearInterval(timer); }, 200); };`,
  ends: `onmessage = async ({ data }) => { ${hold} ${holding} ${ready} close(); };`,
  endsEarly: `onmessage = async ({ data }) => { ${hold} ${holding} close(); };`,
  hangs: `onmessage = async ({ data }) => { if (data.kind === "embed") return; ${hold} ${holding} ${ready} };`,
};

beforeAll(async () => {
  if (!chromium) return;
  folder = await buildPackageForPages();
  await build({
    input: "src/web/running-worker.ts",
    logLevel: "warn",
    output: { file: join(folder, "running-worker.js"), format: "esm" },
  });
  const page = 'import { runWorker } from "./running-worker.js";\nglobalThis.runWorker = runWorker;\n';
  await writeFile(join(folder, "page.js"), page);
  for (const [name, script] of Object.entries(workers)) await writeFile(join(folder, `${name}.js`), script);
  opened = await openPackagePage(folder, { chromium, files: {} });
});
afterAll(async () => {
  await opened?.close();
  if (folder) await removeFolder(folder);
});

const tooSlow =
  "IMAGE_TOO_SLOW expected a picture to take at most 200 ms (itemTimeoutMs); its Web Worker is being replaced";

/** Of what a test does not wait for: a worker's start takes a third of a second on a busy machine. */
const patient: WorkerLimits = { itemTimeoutMs: 30_000, startTimeoutMs: 30_000 };

describe.skipIf(!chromium)("a worker that", () => {
  test.each<[string, string, Partial<WorkerLimits>, readonly string[], number]>([
    [
      "says nothing",
      "silent",
      { startTimeoutMs: 300 },
      ["ENGINE_FAILED the Web Worker said nothing for 300 ms while it started"],
      300,
    ],
    ["throws at once", "throws", {}, ["ENGINE_FAILED the Web Worker was lost: Uncaught Error: no memory"], 0],
    ["does not exist", "none", {}, ["ENGINE_FAILED the Web Worker was lost: its script cannot be loaded"], 0],
    [
      "speaks now and then has more time, until it falls silent",
      "slow",
      { startTimeoutMs: 1_000 },
      [
        ...Array(6).fill("passed-over"),
        "ENGINE_FAILED the Web Worker said nothing for 1000 ms while it started",
      ],
      2_200,
    ],
    ["ends without a word", "ends", {}, ["ready", "ENGINE_FAILED the Web Worker was lost: it ended"], 0],
    [
      "ends without a word while it starts",
      "endsEarly",
      {},
      ["ENGINE_FAILED the Web Worker was lost: it ended"],
      0,
    ],
    ["hangs with two pictures has twice the time", "hangs", { itemTimeoutMs: 200 }, ["ready", tooSlow], 400],
  ])("%s", async (_, name, limits, words, leastMs) => {
    const { story, ms } = await opened.page.evaluate(
      async ([script, workerLimits]) => {
        const { runWorker: run } = globalThis as unknown as { readonly runWorker: typeof runWorker };
        const story: string[] = [];
        const start = performance.now();
        await new Promise<void>((resolve) => {
          const worker = run(
            new Worker(script, { type: "module" }),
            {} as WorkerSetup,
            new Uint8Array(1),
            workerLimits,
            {
              onMessage({ kind }) {
                story.push(kind);
                if (kind === "ready") worker.embed([new Uint8Array(1), new Uint8Array(1)]);
              },
              onLost({ reason, message }) {
                story.push(`${reason} ${message}`);
                resolve();
              },
            },
          );
        });
        return { story, ms: performance.now() - start };
      },
      [`/${name}.js`, { ...patient, ...limits }] as const,
    );
    expect(story).toEqual(words);
    expect(ms).toBeGreaterThanOrEqual(leastMs);
  });
});

test.skipIf(!chromium)("longer times than a timer takes are no times of nothing", async () => {
  const lost = await opened.page.evaluate(async () => {
    const { runWorker: run } = globalThis as unknown as { readonly runWorker: typeof runWorker };
    let lost = "";
    const limits = { itemTimeoutMs: Number.MAX_SAFE_INTEGER, startTimeoutMs: 2 ** 31 };
    await new Promise<void>((resolve) => {
      const worker = run(
        new Worker("/hangs.js", { type: "module" }),
        {} as WorkerSetup,
        new Uint8Array(1),
        limits,
        {
          onMessage() {
            worker.embed([new Uint8Array(1), new Uint8Array(1)]);
            setTimeout(resolve, 300);
          },
          onLost({ message }) {
            lost = message;
            resolve();
          },
        },
      );
    });
    return lost;
  });
  expect(lost).toBe("");
});

test("what is granted by default", () => {
  expect(defaultWorkerLimits).toEqual({ itemTimeoutMs: 30_000, startTimeoutMs: 600_000 });
});
