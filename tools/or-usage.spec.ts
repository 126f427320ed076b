import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const run = (file: string, args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    encoding: "utf8",
  });
  return { status, stdout, stderr };
};

const tools = {
  "tools/mutation/run-picture-mutation.ts":
    "npm run mutate:pictures -- [--count N] [--seed N] [--only INDEX]",
  "tools/mutation/run-request-mutation.ts":
    "npm run mutate:requests -- [--count N] [--seed N] [--only INDEX]",
  "tools/faults/kill-run.ts": "npm run faults -- [--seconds N] [--kill-every-ms N]",
  "tools/container/run-container.ts":
    "npm run container -- [--report FILE] [--protocol LIST] [--base-image IMAGE] [--weights FOLDER] [--debian-npm] [--keep]",
  "tools/architectures/test-architectures.ts": "npm run architectures -- [--all] [FILE]",
  "bench/server-throughput.ts":
    "npm run bench:throughput -- [--engine NAME] [--rounds N] [--pictures N] [--callers N] [--workers N]",
};

test.each(Object.entries(tools))("%s tells its usage", (file, usage) => {
  expect(run(file, ["--help"])).toEqual({ status: 0, stdout: `Usage: ${usage}\n`, stderr: "" });
  const { status, stderr } = run(file, ["--frob"]);
  expect(status).toBe(2);
  const lines = stderr.trimEnd().split("\n");
  expect(lines).toEqual([expect.stringMatching(/^Unknown option '--frob'/), `Usage: ${usage}`]);
});

test.each([
  ["tools/mutation/run-picture-mutation.ts", "--count", "1e5"],
  ["tools/mutation/run-request-mutation.ts", "--only", ""],
  ["tools/faults/kill-run.ts", "--kill-every-ms", "soon"],
  ["bench/server-throughput.ts", "--rounds", "-1"],
] as const)("%s %s=%j is refused", (file, flag, text) => {
  expect(run(file, [`${flag}=${text}`])).toEqual({
    status: 2,
    stdout: "",
    stderr: `${flag}: expected an integer of at least 0, got "${text}"\nUsage: ${tools[file]}\n`,
  });
});
