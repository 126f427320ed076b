import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** As a suite uses it: in a process of its own, whose exit code tells. */
async function runSuite(body: string) {
  const folder = await mkdtemp(join(tmpdir(), "portico-cases-"));
  const file = join(folder, "made/report.json");
  const program = `
    import { createCases, reportCases } from "./tools/cases.ts";
    const cases = createCases();
    ${body}
    reportCases(cases.results, ${JSON.stringify(file)});`;
  const args = ["--input-type=module-typescript", "--eval", program];
  const done = await promisify(execFile)(process.execPath, args).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ code, stdout }),
  );
  const report = JSON.parse(await readFile(file, "utf8"));
  await rm(folder, { recursive: true });
  return { ...done, lines: done.stdout.trimEnd().split("\n"), report };
}

test("cases that pass or are left out give exit code 0", async () => {
  const { code, lines, report } = await runSuite(`
    cases.check("a", true, "found");
    cases.equal("b", [1], [1]);
    cases.skip("c");
    await cases.attempt("none", async () => {});
    await cases.run("d", async () => "text");`);
  expect(code).toBe(0);
  expect(lines).toEqual([
    "passed: a: found",
    "passed: b: [1]",
    "skipped: c",
    expect.stringMatching(/^passed: d \(\d+\.\d s\): text$/),
    "3 passed, 0 failed, 1 skipped",
  ]);
  expect(report).toEqual({
    ...{ passed: 3, failed: 0, skipped: 1 },
    results: [
      { name: "a", outcome: "passed", reason: "found" },
      { name: "b", outcome: "passed", reason: "[1]" },
      { name: "c", outcome: "skipped", reason: "" },
      { name: "d", outcome: "passed", reason: "text" },
    ],
  });
});

test("each case that fails says why, and the exit code is 1", async () => {
  const { code, lines, report } = await runSuite(`
    cases.equal("a", [1], [2]);
    await cases.attempt("b", async () => { throw "no"; });
    await cases.run("c", async () => { throw new Error("never"); });`);
  expect(code).toBe(1);
  expect(lines[0]).toBe("FAILED: a: expected [2], got [1]");
  expect(lines[1]).toBe("FAILED: b: no");
  expect(lines[2]).toMatch(/^FAILED: c \(\d+\.\d s\): Error: never$/);
  expect(lines.at(-1)).toBe("0 passed, 3 failed, 0 skipped");
  expect(report).toMatchObject({ passed: 0, failed: 3, skipped: 0 });
});
