import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { inflateBounded, inflateInto } from "./inflate-bounded.ts";

const text = new TextEncoder().encode("the same words again and again, ".repeat(10_000));

test.each([0, 1, 6, 9])("inflates what zlib deflated at level %i", (level) => {
  const out = new Uint8Array(text.length);
  expect(inflateInto(deflateSync(text, { level }), out)).toBe(text.length);
  expect(out).toEqual(text);
});

test("stops when the target is full, and says how much there was when it is not", () => {
  const compressed = deflateSync(text);
  const small = new Uint8Array(100);
  expect(inflateInto(compressed, small)).toBe(100);
  expect(small).toEqual(text.subarray(0, 100));
  expect(inflateInto(compressed, new Uint8Array(text.length + 1))).toBe(text.length);
  expect(inflateInto(compressed.subarray(0, 100), new Uint8Array(text.length))).toBeLessThan(text.length);
});

test("a bomb of 256 MiB is stopped after 17 MiB", () => {
  const bomb = deflateSync(new Uint8Array(256 * 2 ** 20), { level: 9 });
  let inflated = 0;
  const enough = inflateBounded(bomb, (bytes) => {
    inflated += bytes.length;
    return inflated < 300;
  });
  expect(enough).toBe(true);
  expect(inflated).toBeLessThan(17 * 2 ** 20);
});

test("what follows the stream's end costs nothing", () => {
  const trailed = new Uint8Array(64 * 2 ** 20);
  trailed.set(deflateSync(text));
  const startedAt = performance.now();
  expect(inflateInto(trailed, new Uint8Array(text.length + 1))).toBe(text.length);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});

test.each([
  ["no zlib header", Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)],
  ["an illegal block type", Uint8Array.of(0x78, 0x9c, 0x07, 0, 0, 0, 0, 0)],
])("%s is an error", (_, bytes) => {
  expect(() => inflateInto(bytes, new Uint8Array(10))).toThrow();
});
