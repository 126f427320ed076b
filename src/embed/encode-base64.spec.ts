import { expect, test } from "vitest";
import { decodeBase64 } from "./decode-base64.ts";
import { encodeBase64 } from "./encode-base64.ts";

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(encodeBase64(bytes));

// RFC 4648, section 10.
test.each([
  ["", ""],
  ["f", "Zg=="],
  ["fo", "Zm8="],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg=="],
  ["fooba", "Zm9vYmE="],
  ["foobar", "Zm9vYmFy"],
])("%j", (text, base64) => {
  expect(textOf(new TextEncoder().encode(text))).toBe(base64);
});

test("every byte, as our own decoder and Node's read it", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, value) => value);
  expect(textOf(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  expect(decodeBase64(textOf(bytes), 256)).toEqual(bytes);
});
