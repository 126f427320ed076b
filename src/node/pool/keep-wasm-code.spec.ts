import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

/** `run(n)` calls a function n times; V8 soon compiles it a second time, and the first code is called no more. */
const module = Buffer.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // Types: (i32) -> i32 and (i32) -> (); one function of each; the second one is exported.
  ...[0x01, 0x0a, 0x02, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x00],
  ...[0x03, 0x03, 0x02, 0x00, 0x01],
  ...[0x07, 0x07, 0x01, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x01],
  // n - 1; loop { n = f(n); if (n) continue }
  ...[0x0a, 0x17, 0x02, 0x07, 0x00, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x0b],
  ...[0x0d, 0x00, 0x03, 0x40, 0x20, 0x00, 0x10, 0x00, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x0b],
]);

const threadProgram = `
  import { parentPort } from "node:worker_threads";
  const bytes = Buffer.from("${module.toString("base64")}", "base64");
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  // The second compilation is done beside this thread; its code is taken at a later call.
  for (let round = 0; round < 50; round++) {
    run(100_000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  parentPort.postMessage({ ok: true, value: 1 });
`;

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-wasm-code-"));
  await writeFile(join(work, "thread.mjs"), threadProgram);
});
afterAll(() => rm(work, { recursive: true, force: true }));

const sourceOf = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** V8 goes on compiling and freeing for a moment what it has stripped types with. */
const importsEndMs = 2_000;

/**
 * How often V8 looks for code to free while `program` runs; the flag has it look for any, however small. What it
 * does while `imports` are loaded does not count: Node strips their types by WebAssembly.
 */
async function countCollections(imports: string, program: string): Promise<number> {
  const main = join(work, "main.mjs");
  const head = `
    import { once } from "node:events";
    import { setFlagsFromString } from "node:v8";
    import { setTimeout as sleep } from "node:timers/promises";
    import { Worker } from "node:worker_threads";
    const thread = new URL(${JSON.stringify(pathToFileURL(join(work, "thread.mjs")).href)});
    ${imports}
    await sleep(${importsEndMs});
    setFlagsFromString("--trace-wasm-code-gc");`;
  await writeFile(main, `${head}${program}`);
  const { stdout } = await promisify(execFile)(process.execPath, ["--stress-wasm-code-gc", main], {
    maxBuffer: 2 ** 26,
  });
  return stdout.split("[wasm-gc] Starting GC").length - 1;
}

const runThread = `await once(new Worker(thread), "exit");`;

test("without it V8 frees code while threads run", async () => {
  expect(await countCollections("", runThread)).toBeGreaterThan(0);
});

test("a thread of runInThread is started with it", async () => {
  const imports = `import { runInThread } from ${sourceOf("run-in-thread.ts")};`;
  expect(await countCollections(imports, "await runInThread(thread);")).toBe(0);
});

test("a worker of a pool is started with it, and it holds for the process", async () => {
  const imports = `import { startWorker } from ${sourceOf("pooled-worker.ts")};
    import { defaultWorkerLimits } from ${sourceOf("worker-limits.ts")};`;
  const program = `
    const worker = startWorker({ engine: "none" }, defaultWorkerLimits, {});
    await worker.ready.catch(() => undefined);
    ${runThread}`;
  expect(await countCollections(imports, program)).toBe(0);
});
