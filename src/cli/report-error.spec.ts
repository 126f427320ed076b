import { expect, test } from "vitest";
import { EmbedError, type Reason } from "../errors.ts";
import { describeError } from "./report-error.ts";

const openFiles = "; raise the limit of open files (ulimit -n)";

test.each<[Reason, message: string, cause: unknown, line: string]>([
  [
    "INTERNAL",
    "an internal error occurred",
    new RangeError("x"),
    "an internal error occurred: RangeError: x",
  ],
  ["INTERNAL", "an internal error occurred", undefined, "an internal error occurred"],
  ["ENGINE_FAILED", "a worker failed", "Error: a\n  b", "a worker failed: Error: a b"],
  ["ENGINE_FAILED", "a worker failed", "Error: EMFILE", `a worker failed: Error: EMFILE${openFiles}`],
  ["CONFIG_INVALID", "a: EMFILE, open", new Error("EMFILE"), `a: EMFILE, open${openFiles}`],
  ["CONFIG_INVALID", "a: EACCES, open", new Error("EACCES"), "a: EACCES, open"],
])("%s, %s, cause %s", (reason, message, cause, line) => {
  expect(describeError(new EmbedError(reason, message, { cause }))).toBe(line);
});
