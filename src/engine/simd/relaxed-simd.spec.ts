import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hasRelaxedSimd } from "./relaxed-simd.ts";

test("says whether the relaxed kernels are valid here", () => {
  const kernels = readFileSync(new URL("kernels-relaxed.wasm", import.meta.url));
  expect(hasRelaxedSimd()).toBe(WebAssembly.validate(kernels));
});
