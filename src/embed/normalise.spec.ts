import { describe, expect, test } from "vitest";
import { normaliseL2 } from "./normalise.ts";

describe("normaliseL2", () => {
  test.each([
    { features: [3, 4], expected: [0.6, 0.8] },
    { features: [0, -2], expected: [0, -1] },
    { features: [1e-20, 0], expected: [1, 0] },
    { features: [1e20, 0], expected: [1, 0] },
  ])("$features", ({ features, expected }) => {
    expect(normaliseL2(Float32Array.from(features))).toEqual(Float32Array.from(expected));
  });

  test.each([
    { features: [0, 0], message: "expected features with a finite norm above 0, got 0 over 2 values" },
    {
      features: [Number.NaN],
      message: "expected features with a finite norm above 0, got NaN over 1 values",
    },
    {
      features: [1, Infinity],
      message: "expected features with a finite norm above 0, got Infinity over 2 values",
    },
    { features: [], message: "expected features with a finite norm above 0, got 0 over 0 values" },
  ])("refuses $features", ({ features, message }) => {
    expect(() => normaliseL2(Float32Array.from(features))).toThrow(
      expect.objectContaining({ reason: "ENGINE_FAILED", message }),
    );
  });
});
