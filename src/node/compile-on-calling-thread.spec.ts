import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const flagsModule = JSON.stringify(new URL("compile-on-calling-thread.ts", import.meta.url).href);

/** Many functions become hot one after the other, each with machine code of its own. */
const manyHotFunctions = `
  for (let index = 0; index < 600; index++) {
    const sum = new Function("values", "count",
      "let sum = " + index + "; for (let i = 0; i < count; i++) sum += values.a * i + Math.max(values.b, i); return { sum };");
    for (let call = 0; call < 60; call++) sum({ a: 1, b: 2 }, 20);
  }`;

/** How often V8 compiled on a background thread, by compiler, told by its own trace. */
async function countBackgroundCompilations(program: string) {
  const folder = await mkdtemp(join(tmpdir(), "portico-compile-"));
  try {
    await writeFile(join(folder, "main.mjs"), program);
    const trace = ["--trace-event-categories", "disabled-by-default-v8.compile"];
    await promisify(execFile)(process.execPath, [...trace, "--invocation-count-for-maglev=30", "main.mjs"], {
      cwd: folder,
    });
    const files = (await readdir(folder)).filter((name) => name.endsWith(".log"));
    const texts = await Promise.all(files.map((name) => readFile(join(folder, name), "utf8")));
    const count = (event: string) => texts.join("").split(`"name":"${event}"`).length - 1;
    return {
      maglev: count("V8.MaglevBackground"),
      sparkplug: count("V8.FinalizeBaselineConcurrentCompilation"),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("no compiler allocates on a background thread, which could keep the process from ending", async () => {
  const usual = await countBackgroundCompilations(manyHotFunctions);
  expect(usual.maglev).toBeGreaterThan(300);
  // It ends several compilations at once where threads wait for a processor: 50 times were seen, 140 on one that is idle.
  expect(usual.sparkplug).toBeGreaterThan(30);
  const kept = await countBackgroundCompilations(`import ${flagsModule};${manyHotFunctions}`);
  // The import itself is compiled before the flags are set.
  expect(kept.maglev).toBeLessThan(10);
  expect(kept.sparkplug).toBeLessThan(20);
});
