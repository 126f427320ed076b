import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { readMemory } from "../../tools/load/process-memory.ts";
import { readTreeMemory } from "./process-tree.ts";

/** A process that starts another, tells once that one is there, and lives until its standard input ends. */
const parent = `
const child = require("node:child_process").spawn(process.execPath, ["-e", "console.log(1); process.stdin.resume()"], { stdio: ["pipe", "pipe", "inherit"] });
child.stdout.once("data", () => console.log(child.pid));
process.stdin.resume().on("end", () => child.stdin.end());
`;

test("the memory of a process and of what it started adds up", async () => {
  const child = spawn(process.execPath, ["-e", parent], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const alone = await Promise.all([child.pid!, Number(line)].map((pid) => readMemory(pid, "VmRSS")));
  const together = await readTreeMemory(child.pid!);
  child.stdin.end();
  await once(child, "exit");
  const expected = alone[0]! + alone[1]!;
  // Both may still allocate a little.
  expect(together / expected).toBeGreaterThan(0.9);
  expect(together / expected).toBeLessThan(1.1);
  expect(alone[1]).toBeGreaterThan(1e6);
});
