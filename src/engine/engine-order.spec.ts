import { describe, expect, test } from "vitest";
import { type EngineChoice, engineChoices, engineNames } from "./engine.ts";
import { enginesFastestFirst, listEnginesToTry } from "./engine-order.ts";

const missing = "it is not installed";

test("every engine has its place in the order of auto", () => {
  expect([...enginesFastestFirst].sort()).toEqual([...engineNames].sort());
  expect(engineChoices).toEqual([...engineNames, "auto"]);
});

describe("listEnginesToTry", () => {
  test.each<[EngineChoice, number, string | undefined, readonly string[]]>([
    ["auto", 1, undefined, ["ort-webgpu", "ort-native", "simd", "ort-wasm"]],
    ["auto", 1, missing, ["simd", "ort-wasm"]],
    ["auto", 2, undefined, ["ort-webgpu", "ort-native", "ort-wasm"]],
    ["auto", 2, missing, ["ort-wasm"]],
    ["simd", 1, missing, ["simd"]],
    ["ort-wasm", 8, missing, ["ort-wasm"]],
    ["ort-native", 8, undefined, ["ort-native"]],
    ["ort-webgpu", 8, undefined, ["ort-webgpu"]],
  ])("%s with %i threads, packages lacking: %s", (choice, threads, lacks, engines) => {
    const conditions = { threads, ortNativeLacks: lacks, ortWebGpuLacks: lacks };
    expect(listEnginesToTry(choice, conditions)).toEqual(engines);
  });

  test.each<[EngineChoice, number, string]>([
    ["simd", 2, "expected --threads 1 with --engine simd, got --threads 2; --workers uses more cores"],
    ["ort-native", 1, missing],
    ["ort-webgpu", 1, missing],
  ])("%s with %i threads is refused", (choice, threads, message) => {
    const conditions = { threads, ortNativeLacks: missing, ortWebGpuLacks: missing };
    expect(() => listEnginesToTry(choice, conditions)).toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
  });
});
