import { crc32 as zlibCrc32 } from "node:zlib";
import { expect, test } from "vitest";
import { crc32 } from "./crc32.ts";

test.each(["", "a", "123456789", "IEND", "a longer text ".repeat(100)])("of %j is zlib's", (text) => {
  const bytes = new TextEncoder().encode(text);
  expect(crc32(bytes)).toBe(zlibCrc32(bytes));
});
