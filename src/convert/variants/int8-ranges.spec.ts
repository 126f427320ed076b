import { describe, expect, test } from "vitest";
import { parseInt8Ranges } from "./int8-ranges.ts";

test("sound ranges pass as they are", () => {
  const ranges = { a: [0, 1.5], b: [-3, 2] };
  expect(parseInt8Ranges(ranges)).toBe(ranges);
});

describe("ranges that make no sense are refused", () => {
  const wanted = "expected [least, most] with least <= 0 < most, both float32 numbers, got";
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "int8 ranges: expected an object that is not empty, got undefined"],
    ["a list", [[0, 1]], "int8 ranges: expected an object that is not empty, got [[0,1]]"],
    ["no tensor at all", {}, "int8 ranges: expected an object that is not empty, got {}"],
    ["one number", { a: 3 }, `int8 ranges, "a": ${wanted} 3`],
    ["three numbers", { a: [0, 1, 2] }, `int8 ranges, "a": ${wanted} [0,1,2]`],
    ["texts", { a: ["0", "1"] }, `int8 ranges, "a": ${wanted} ["0","1"]`],
    ["a range without zero", { a: [1, 2] }, `int8 ranges, "a": ${wanted} [1,2]`],
    ["one that ends at zero", { a: [-1, 0] }, `int8 ranges, "a": ${wanted} [-1,0]`],
    ["one that is turned round", { a: [0, -1] }, `int8 ranges, "a": ${wanted} [0,-1]`],
    ["one too wide for float32", { a: [-1e39, 1e39] }, `int8 ranges, "a": ${wanted} [-1e+39,1e+39]`],
    ["one too narrow for float32", { a: [0, 1e-50] }, `int8 ranges, "a": ${wanted} [0,1e-50]`],
    ["no number", { a: [0, Number.NaN] }, `int8 ranges, "a": ${wanted} [0,null]`],
  ])("%s", (_, ranges, message) => {
    expect(() => parseInt8Ranges(ranges)).toThrow(
      expect.objectContaining({ reason: "CONVERT_INVALID", message }),
    );
  });
});
