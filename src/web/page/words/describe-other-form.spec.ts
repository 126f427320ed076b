import { expect, test } from "vitest";
import { describeOtherForm } from "./describe-other-form.ts";

test.each([
  ["fp32", "int8", 0.998749, "another vector space: int8; cosine 0.9987"],
  ["fp16", "fp32", 0.999999571, "another vector space: fp16; cosine 0.99999957"],
  ["int8", "fp16", 0.5, "another vector space: int8 and fp16; cosine 0.500"],
] as const)("%s and %s", (firstVariant, secondVariant, cosine, words) => {
  expect(describeOtherForm({ kind: "other-form", firstVariant, secondVariant, cosine })).toBe(words);
});
