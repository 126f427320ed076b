import { describe, expect, test } from "vitest";
import {
  failedCaseLines,
  failedTestLines,
  limitLines,
  strayErrorLines,
  type VitestFile,
} from "./failed-tests.ts";

const root = "/somewhere/portico";
const good = { fullName: "adds", status: "passed", failureMessages: [] };
const skipped = { fullName: "needs Go", status: "skipped", failureMessages: [] };
const file = (partial: Partial<VitestFile>): VitestFile => ({
  name: `${root}/src/a.spec.ts`,
  status: "failed",
  message: "",
  assertionResults: [],
  ...partial,
});

const rows: readonly [string, VitestFile, string[]][] = [
  ["a good file", file({ status: "passed", assertionResults: [good, skipped] }), []],
  [
    "a failed test, without its stack",
    file({
      assertionResults: [
        good,
        {
          fullName: "outer subtracts",
          status: "failed",
          failureMessages: [
            "AssertionError: expected 3 to be 4\n\n    at /x/a.spec.ts:3:62\n    at runTest (/x/b.js:1:1)",
          ],
        },
      ],
    }),
    ["src/a.spec.ts > outer subtracts", "  AssertionError: expected 3 to be 4"],
  ],
  [
    "a failed test of many words",
    file({
      assertionResults: [
        { fullName: "t", status: "failed", failureMessages: [`${"x".repeat(201)}\n2\n3\n4\n5`] },
      ],
    }),
    ["src/a.spec.ts > t", `  ${"x".repeat(200)}...`, "  2", "  3", "  4"],
  ],
  [
    "a failed test without a message",
    file({ assertionResults: [{ fullName: "t", status: "failed", failureMessages: null }] }),
    ["src/a.spec.ts > t"],
  ],
  [
    "a file that cannot be imported",
    file({ message: "Cannot find module './none.ts'" }),
    ["src/a.spec.ts as a whole", "  Cannot find module './none.ts'"],
  ],
  [
    "a hook that failed",
    file({ message: "no server", assertionResults: [skipped] }),
    ["src/a.spec.ts as a whole", "  no server"],
  ],
  [
    "a process that ended in the midst of its tests",
    file({
      assertionResults: [
        good,
        { fullName: "crashes", status: "pending", failureMessages: [] },
        { fullName: "comes after", status: "pending", failureMessages: [] },
      ],
    }),
    ["src/a.spec.ts: ended without a result of 2, from: crashes"],
  ],
  [
    "a process that ended before its file was read",
    file({ assertionResults: [] }),
    ["src/a.spec.ts: ended without a test"],
  ],
  [
    "a file elsewhere",
    file({ name: "/else/b.spec.ts", message: "no" }),
    ["/else/b.spec.ts as a whole", "  no"],
  ],
];

test.each(rows)("%s", (_name, one, lines) => {
  expect(failedTestLines([one], root)).toEqual(lines);
});

test("files one after the other", () => {
  const files = [file({ message: "one" }), file({ name: `${root}/b.spec.ts`, message: "two" })];
  expect(failedTestLines(files, root)).toEqual([
    "src/a.spec.ts as a whole",
    "  one",
    "b.spec.ts as a whole",
    "  two",
  ]);
});

test("errors outside all tests", () => {
  expect(strayErrorLines([])).toEqual([]);
  expect(strayErrorLines(["worker failed\nended by SIGSEGV\n    at a.js:1:1"])).toEqual([
    "an error outside all tests",
    "  worker failed",
    "  ended by SIGSEGV",
  ]);
});

test("cases of a suite", () => {
  expect(
    failedCaseLines([
      { name: "errors/noise over grpc", reason: 'expected "a"\ngot "b"' },
      { name: "h2spec 5.1", reason: "" },
    ]),
  ).toEqual(["errors/noise over grpc", '  expected "a"', '  got "b"', "h2spec 5.1"]);
});

describe("at most so many lines", () => {
  test.each([
    [["a", "b"], 2, ["a", "b"]],
    [["a", "b", "c"], 2, ["a", "and 2 lines more"]],
    [[], 2, []],
  ])("%j, %i", (lines, max, limited) => {
    expect(limitLines(lines, max)).toEqual(limited);
  });
});
