import { expect, test } from "vitest";
import { watchWasmMemory } from "./wasm-memory.ts";

/** (module (memory (export "m") 3)) */
const exportsMemory = Uint8Array.from([
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 3, 7, 5, 1, 1, 0x6d, 2, 0,
]);
const page = 65_536;

test("counts memories however they are made, once each, and their growth", () => {
  const before = { ...WebAssembly, Memory: WebAssembly.Memory, Instance: WebAssembly.Instance };
  try {
    const bytes = watchWasmMemory();
    expect(bytes()).toBe(0);
    const plain = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    const shared = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
    expect(bytes()).toBe(3 * page);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(exportsMemory));
    expect(bytes()).toBe(6 * page);
    plain.grow(3);
    expect(bytes()).toBe(9 * page);
    expect(
      [plain, shared, instance.exports.m].every(
        (made) => made instanceof WebAssembly.Memory || made instanceof before.Memory,
      ),
    ).toBe(true);
  } finally {
    WebAssembly.Memory = before.Memory;
    WebAssembly.Instance = before.Instance;
  }
});
