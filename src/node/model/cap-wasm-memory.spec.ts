import { afterEach, expect, test } from "vitest";
import { capWasmMemory } from "./cap-wasm-memory.ts";

const { Memory } = WebAssembly;
const { grow } = Memory.prototype;
const pageBytes = 65_536;

afterEach(() => {
  WebAssembly.Memory = Memory;
  Memory.prototype.grow = grow;
});

test("memory grows up to the cap and not beyond", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 100 });
  capWasmMemory(10 * pageBytes);
  expect(memory.grow(9)).toBe(1);
  expect(memory.buffer.byteLength).toBe(10 * pageBytes);
  expect(() => memory.grow(1)).toThrow(
    new RangeError("expected at most 655360 bytes of WebAssembly memory, 720896 were wanted"),
  );
  expect(memory.buffer.byteLength).toBe(10 * pageBytes);
});

test("none larger is made", () => {
  capWasmMemory(10 * pageBytes);
  expect(new WebAssembly.Memory({ initial: 10, maximum: 100 }).buffer.byteLength).toBe(10 * pageBytes);
  expect(() => new WebAssembly.Memory({ initial: 11 })).toThrow(
    new RangeError("expected at most 655360 bytes of WebAssembly memory, 720896 were wanted"),
  );
});

test("h5wasm's allocator finds none beyond the cap", async () => {
  const { ready } = await import("h5wasm");
  const module = await ready;
  capWasmMemory(64 * 2 ** 20);
  expect(module._malloc(100 * 2 ** 20)).toBe(0);
  expect(module.HEAPU8.length).toBeLessThanOrEqual(64 * 2 ** 20);
  expect(module._malloc(10 * 2 ** 20)).toBeGreaterThan(0);
});
