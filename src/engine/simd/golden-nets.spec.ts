import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { goldenNetNames, notOnSimd, openGoldenNet } from "../../../tools/simd/golden-nets.ts";
import { createSimdEngine } from "./simd-engine.ts";

const builds = ["relaxed", "plain"].map((build) => {
  const bytes = readFileSync(new URL(`kernels-${build}.wasm`, import.meta.url));
  return [build, createSimdEngine(new WebAssembly.Module(bytes))] as const;
});

test("every network that is passed over is one of the goldens", () => {
  expect([...notOnSimd.keys()].filter((name) => !goldenNetNames.includes(name))).toEqual([]);
});

describe("a converted network gives what tf_keras gives, or is refused for what it has", () => {
  test.each(goldenNetNames)("%s", async (name) => {
    const { onnx, inputShape, input, expected, tolerance } = await openGoldenNet(name);
    for (const [build, engine] of builds) {
      if (inputShape.length === 2) {
        await expect(engine.load(onnx)).rejects.toMatchObject({
          reason: "ENGINE_UNSUPPORTED",
          message: `simd: expected an input (N, height, width, channels) and an output (N, dimension), got (N, ${inputShape[1]}) and (N, ${expected.length / inputShape[0]!})`,
        });
        continue;
      }
      const lack = notOnSimd.get(name);
      if (lack !== undefined) {
        const refused = { reason: "ENGINE_UNSUPPORTED", message: expect.stringContaining(`simd: ${lack}`) };
        await expect(engine.load(onnx)).rejects.toMatchObject(refused);
        continue;
      }
      const session = await engine.load(onnx);
      const features = await session.run(input, inputShape[0]!);
      expect(features.length, build).toBe(expected.length);
      const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - features[i]!)), 0);
      expect(worst, build).toBeLessThanOrEqual(tolerance);
    }
  });
});
