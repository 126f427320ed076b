import { expect, test } from "vitest";
import { describeHeader, describeRow, summarise, type VerifyRow } from "./verify-report.ts";

const image = "a.png";
const tolerance = 1e-6;
const good: VerifyRow = { image, tolerance, maxAbsError: 1e-6, cosine: 1 };
const far: VerifyRow = { image, tolerance, maxAbsError: 2e-3, cosine: 0.99 };
const notANumber: VerifyRow = { image, tolerance, maxAbsError: Number.NaN, cosine: Number.NaN };
const broken: VerifyRow = { image, tolerance, error: { reason: "IMAGE_CORRUPT", message: "it ends early" } };

/** Of a variant. */
const limits = { image, tolerance: Number.POSITIVE_INFINITY, minCosine: 0.998 };
const near: VerifyRow = { ...limits, maxAbsError: 1e-2, cosine: 0.9985 };
const turned: VerifyRow = { ...limits, maxAbsError: 2e-2, cosine: 0.9979 };

test.each([
  [near, "a.png    ok             1.00e-2  0.998500000"],
  [turned, "a.png    DIFFERS        2.00e-2  0.997900000"],
  [good, "a.png    ok             1.00e-6  1.000000000"],
  [far, "a.png    DIFFERS        2.00e-3  0.990000000"],
  [notANumber, "a.png    DIFFERS            NaN  NaN"],
  [broken, "a.png    FAILED   IMAGE_CORRUPT: it ends early"],
])("row %#", (row, line) => {
  expect(describeRow(row, 7)).toBe(line);
});

test("the header stands above the figures", () => {
  expect(describeHeader(7)).toBe("fixture           max abs error  cosine");
  expect(describeHeader(7).indexOf("cosine")).toBe(describeRow(good, 7).indexOf("1.000000000"));
});

test.each<[VerifyRow[], string, string | undefined]>([
  [[good, good], "2 passed, 0 differ, 0 failed; largest error 1.00e-6", undefined],
  [
    [good, far, broken],
    "1 passed, 1 differ, 1 failed; largest error 2.00e-3",
    "1 of 3 vectors differ from Keras's by more than their tolerance; 1 of 3 fixtures gave no vector",
  ],
  [
    [broken],
    "0 passed, 0 differ, 1 failed",
    "0 of 1 vectors differ from Keras's by more than their tolerance; 1 of 1 fixtures gave no vector",
  ],
  [
    [near, turned],
    "1 passed, 1 differ, 0 failed; largest error 2.00e-2, smallest cosine 0.9979000",
    "1 of 2 vectors differ from Keras's by more than their tolerance; 0 of 2 fixtures gave no vector",
  ],
])("summary %#", (rows, summary, shortfall) => {
  expect(summarise(rows)).toEqual({ summary, ...(shortfall && { shortfall }) });
});
