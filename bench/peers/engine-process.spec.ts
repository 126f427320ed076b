import { expect, test } from "vitest";
import { startEngineProcess } from "./engine-process.ts";

const start = (script: string) => startEngineProcess(process.execPath, ["-e", script]);
const engine = `
console.log(JSON.stringify({ version: "an engine 1.0", loadMs: 12, features: [1, 2.5] }));
require("node:readline").createInterface(process.stdin).on("line", (line) => {
  if (line === "9") { console.error("out of memory"); process.exit(1); }
  console.log(JSON.stringify(Array(Number(line)).fill(7)));
});
`;

test("an engine tells what it loaded, and the times of its runs", async () => {
  const { version, loadMs, features, run, close } = await start(engine);
  expect({ version, loadMs, features }).toEqual({
    version: "an engine 1.0",
    loadMs: 12,
    features: Float32Array.of(1, 2.5),
  });
  expect(await run(3)).toEqual([7, 7, 7]);
  expect(await run(1)).toEqual([7]);
  await close();
});

test("an engine that cannot load ends with what it said", async () => {
  await expect(start('console.error("no such model"); process.exit(1)')).rejects.toThrow(
    /ended: no such model\n$/,
  );
});

test("an engine that ends in the middle of its runs is told too", async () => {
  const { run } = await start(engine);
  await expect(run(9)).rejects.toThrow(/ended: out of memory\n$/);
});
