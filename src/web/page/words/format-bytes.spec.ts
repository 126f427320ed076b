import { expect, test } from "vitest";
import { formatBytes } from "./format-bytes.ts";

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [999, "999 bytes"],
  [1_000, "1 KB"],
  [172_600, "173 KB"],
  [999_499, "999 KB"],
  [999_500, "1.0 MB"],
  [93_948_815, "93.9 MB"],
  [99_949_999, "99.9 MB"],
  [100_000_000, "100 MB"],
  [2_540_000_000, "2.5 GB"],
  [5_000_000_000_000, "5000 GB"],
])("%d is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
