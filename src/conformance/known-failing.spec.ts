import { expect, test } from "vitest";
import { findKnownFailing, matchesTest, parseKnownFailing } from "./known-failing.ts";

test("comments and empty lines are left out, the rest is pattern and reason", () => {
  const text = "# why\n\n  urls/*   fetching is off here\nerrors/noise@grpc   a defect\n";
  expect(parseKnownFailing(text, "x.txt")).toEqual([
    { pattern: "urls/*", reason: "fetching is off here" },
    { pattern: "errors/noise@grpc", reason: "a defect" },
  ]);
});

test("a line without a reason is refused", () => {
  expect(() => parseKnownFailing("# a\nerrors/noise\n", "x.txt")).toThrow(
    'x.txt:2: expected "PATTERN REASON", got "errors/noise"',
  );
});

test("a pattern names a case, or its run over one transport", () => {
  expect(matchesTest("errors/noise", "errors/noise", "grpc")).toBe(true);
  expect(matchesTest("errors/noise@connect", "errors/noise", "grpc")).toBe(false);
  const list = parseKnownFailing("errors/*@connect a defect", "x.txt");
  expect(findKnownFailing(list, "errors/noise", "connect")?.reason).toBe("a defect");
  expect(findKnownFailing(list, "errors/noise", "grpc")).toBeUndefined();
});
