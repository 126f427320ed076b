import { describe, expect, test } from "vitest";
import { chooseEngines, type EngineSelection, type EngineWishes } from "./choose-engines.ts";
import type { WebEngineName } from "./web-engines.ts";

const isolated = (cores: number) => ({ isIsolated: true, cores });
const alone = { isIsolated: false, cores: 8 };
const simdFirst = ["ort-webgpu", "simd", "ort-wasm"] as const;
const ortFirst = ["ort-webgpu", "ort-wasm", "simd"] as const;

describe("which engines are tried, and with how many threads", () => {
  test.each<[EngineWishes["engine"], number | undefined, ReturnType<typeof isolated>, EngineSelection]>([
    ["auto", undefined, isolated(2), { engines: simdFirst, threads: 2 }],
    ["auto", undefined, isolated(16), { engines: simdFirst, threads: 4 }],
    ["auto", 1, isolated(16), { engines: simdFirst, threads: 1 }],
    ["auto", 3, isolated(16), { engines: simdFirst, threads: 3 }],
    ["auto", 4, isolated(16), { engines: ortFirst, threads: 4 }],
    ["auto", 8, isolated(2), { engines: ortFirst, threads: 8 }],
    ["auto", undefined, alone, { engines: simdFirst, threads: 1 }],
    ["auto", 8, alone, { engines: simdFirst, threads: 1 }],
    ["simd", undefined, isolated(2), { engines: ["simd"], threads: 2 }],
    ["simd", 1, isolated(2), { engines: ["simd"], threads: 1 }],
    ["ort-wasm", undefined, isolated(3), { engines: ["ort-wasm"], threads: 3 }],
    ["ort-wasm", 6, isolated(3), { engines: ["ort-wasm"], threads: 6 }],
    ["ort-wasm", 6, alone, { engines: ["ort-wasm"], threads: 1 }],
    ["ort-webgpu", undefined, alone, { engines: ["ort-webgpu"], threads: 1 }],
  ])("%s, %s threads, %o", (engine, threads, page, expected) => {
    expect(chooseEngines({ engine, threads }, page)).toEqual(expected);
  });

  test.each<[string, number | undefined, string]>([
    [
      "ort-native",
      undefined,
      'expected engine auto, ort-webgpu, simd, ort-wasm in a browser, got "ort-native"',
    ],
    ["simd", 2, "expected 1 thread with engine simd, got 2"],
    ["auto", 0, "expected threads to be a whole number from 1 to 64, got 0"],
    ["ort-wasm", 1.5, "expected threads to be a whole number from 1 to 64, got 1.5"],
    ["ort-wasm", 65, "expected threads to be a whole number from 1 to 64, got 65"],
    ["ort-wasm", Number.NaN, "expected threads to be a whole number from 1 to 64, got NaN"],
  ])("%s with %s threads is refused", (engine, threads, message) => {
    const choose = () => chooseEngines({ engine: engine as WebEngineName, threads }, isolated(4));
    expect(choose).toThrow(expect.objectContaining({ reason: "CONFIG_INVALID", message }));
  });
});
