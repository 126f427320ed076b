import { expect, test } from "vitest";
import { figure, markdownTable, megabytes, percent, seconds, times } from "./markdown.ts";

test.each([
  [0.354, "0.35"],
  [8.44, "8.44"],
  [11.36, "11.4"],
  [104.4, "104"],
  [1330.6, "1331"],
  [Number.NaN, "-"],
  [Number.POSITIVE_INFINITY, "-"],
])("figure(%d) is %s", (value, text) => {
  expect(figure(value)).toBe(text);
});

test.each([
  [seconds(1330), "1.33 s"],
  [percent(0.9604), "96.0 %"],
  [times(2.649), "2.65 x"],
  [megabytes(167_400_000), "167 MB"],
])("%s is %s", (got, text) => {
  expect(got).toBe(text);
});

test("a table sets figures to the right", () => {
  expect(markdownTable(["engine", { figures: "least" }], [["`simd`", "104 ms"]])).toBe(
    "| engine | least |\n| --- | ---: |\n| `simd` | 104 ms |",
  );
});
