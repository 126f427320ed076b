import { expect, test } from "vitest";
import { expectedPoolBytes, leastPoolBytes, poolBytes } from "./expected-memory.ts";

const mib = 2 ** 20;
const size = { workers: 2, onnxBytes: 100 * mib };

test.each([
  // Weights of 400 MiB, and for each worker 50 MiB of room and 32 MiB of a thread.
  { engine: "simd", expected: 564 },
  { engine: "ort-wasm", expected: 614 },
  { engine: "ort-native", expected: 664 },
  { engine: "ort-webgpu", expected: 364 },
] as const)("$engine takes at most $expected MiB", ({ engine, expected }) => {
  expect(expectedPoolBytes({ ...size, engine }) / mib).toBe(expected);
});

test("the least is the file and the threads", () => {
  expect(leastPoolBytes(size) / mib).toBe(164);
});

test.each([
  { engine: undefined, bytes: 0 },
  { engine: "simd", bytes: 7 },
  { engine: "ort-wasm", bytes: 7 },
  { engine: "ort-native", bytes: 664 * mib },
] as const)(
  "a pool of $engine takes what it tells, or what is expected where it cannot know",
  ({ engine, bytes }) => {
    expect(poolBytes(size, engine, 7)).toBe(bytes);
  },
);
