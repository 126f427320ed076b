import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runSuiteProgram } from "./run-suite-program.ts";

const stderrPath = join(mkdtempSync(join(tmpdir(), "portico-")), "stderr.log");

test("gives the exit code and stdout, and keeps stderr in a file", async () => {
  const script = "console.log('out'); console.error('err'); process.exitCode = 3";
  const run = await runSuiteProgram([process.execPath, "-e", script], { timeoutMs: 30_000, stderrPath });
  expect(run).toMatchObject({ exitCode: 3, stdout: "out\n" });
  expect(readFileSync(stderrPath, "utf8")).toBe("err\n");
});

test("kills a program that hangs together with what it started", async () => {
  const script = `
    const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    console.log(child.pid);
    setInterval(() => {}, 1000);`;
  const run = await runSuiteProgram([process.execPath, "-e", script], { timeoutMs: 1_500, stderrPath });
  expect(run.exitCode).toBeUndefined();
  const grandchild = Number(run.stdout);
  expect(grandchild).toBeGreaterThan(0);
  // Its end may be a moment away: the kernel reaps it after the kill.
  await expect.poll(() => isRunning(grandchild)).toBe(false);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    // No such process, which is what is asked here.
    return false;
  }
}
