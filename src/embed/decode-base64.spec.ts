import v8 from "node:v8";
import vm from "node:vm";
import { describe, expect, test } from "vitest";
import { EmbedError, type Reason } from "../errors.ts";
import { decodeBase64, type NativeFromBase64 } from "./decode-base64.ts";

/** The runtime's own decoder; in Node 24 it lies behind a flag, and then only in a realm made after it. */
function nativeFromBase64(): NativeFromBase64 {
  if (!("fromBase64" in Uint8Array)) v8.setFlagsFromString("--js-base-64");
  return vm.runInNewContext("(text, options) => Uint8Array.fromBase64(text, options)") as NativeFromBase64;
}

const native = nativeFromBase64();
const ways = [
  ["native", native],
  ["table", null],
] as const;

/** The result as a plain array, or the error as `REASON: message`. */
function outcome(text: string, way: NativeFromBase64 | null, maxBytes?: number): number[] | string {
  try {
    return Array.from(decodeBase64(text, maxBytes, way));
  } catch (error) {
    if (error instanceof EmbedError) return `${error.reason}: ${error.message}`;
    throw error;
  }
}

const good: readonly [what: string, text: string, bytes: string][] = [
  ["three bytes", "YWJj", "abc"],
  ["two bytes", "YWI=", "ab"],
  ["one byte", "YQ==", "a"],
  ["two bytes without padding", "YWI", "ab"],
  ["one byte without padding", "YQ", "a"],
  ["bits left over", "YR==", "a"],
  ["several groups", "cG9ydGljbw==", "portico"],
  ["the standard alphabet", "+/+/", "\xfb\xff\xbf"],
  ["the url-safe alphabet", "-_-_", "\xfb\xff\xbf"],
  ["white space of all five kinds", " Y\tW\nJ\fj\r\n", "abc"],
  ["white space inside the padding", "YQ= =\n", "a"],
  ["lines of four, then a group cut in two", "YWJj\nYWJjYW\r\nJj", "abcabcabc"],
  ["a data URI", "data:image/png;base64,YWJj", "abc"],
  ["a data URI in capitals", "DATA:IMAGE/PNG;BASE64,YWJj", "abc"],
  ["a data URI without a type", "data:;base64,YWJj", "abc"],
  ["a data URI with parameters", "data:image/png;name=a.png;charset=utf-8;base64,YWJj", "abc"],
  ["a data URI with spaces", " data:image/png; base64 , YWJj", "abc"],
  ["a url-safe data URI", "data:image/webp;base64,-_-_", "\xfb\xff\xbf"],
];

const refused: readonly [text: string, reason: Reason, message: string][] = [
  ["", "SOURCE_EMPTY", "expected a picture in base64, got no data"],
  [" \n", "SOURCE_EMPTY", "expected a picture in base64, got no data"],
  ["data:image/png;base64,", "SOURCE_EMPTY", "expected a picture in base64, got no data"],
  ["YWJ%", "BASE64_INVALID", 'expected base64, got "%" at position 3'],
  ["YWJjYWJj\nYW.j", "BASE64_INVALID", 'expected base64, got "." at position 11'],
  ['"YWJj"', "BASE64_INVALID", 'expected base64, got "\\"" at position 0'],
  ["YW\0j", "BASE64_INVALID", "expected base64, got a control character (U+0000) at position 2"],
  ["YW\u000bj", "BASE64_INVALID", "expected base64, got a control character (U+000B) at position 2"],
  ["YW\u007fj", "BASE64_INVALID", "expected base64, got a control character (U+007F) at position 2"],
  ["YWJ\u00e9", "BASE64_INVALID", "expected base64, got a character outside ASCII (U+00E9) at position 3"],
  ["YWJ\u00a0", "BASE64_INVALID", "expected base64, got a character outside ASCII (U+00A0) at position 3"],
  [
    "YW\ud83d\ude00",
    "BASE64_INVALID",
    "expected base64, got a character outside ASCII (U+D83D) at position 2",
  ],
  [
    "Y",
    "BASE64_INVALID",
    "expected base64 in groups of four characters, got one character over at position 0",
  ],
  [
    "YWJjY \n",
    "BASE64_INVALID",
    "expected base64 in groups of four characters, got one character over at position 4",
  ],
  ["Y===", "BASE64_INVALID", 'expected base64, got "=" where no padding belongs at position 1'],
  ["=", "BASE64_INVALID", 'expected base64, got "=" where no padding belongs at position 0'],
  ["YWJj=", "BASE64_INVALID", 'expected base64, got "=" where no padding belongs at position 4'],
  ["YWI==", "BASE64_INVALID", 'expected base64, got "=" where no padding belongs at position 4'],
  ["YQ=", "BASE64_INVALID", 'expected "==" at the end of the base64, got "="'],
  ["YQ==YQ==", "BASE64_INVALID", 'expected base64, got "Y" after the padding at position 4'],
  ["+_AA", "BASE64_INVALID", 'expected base64, got "_" in base64 of the other alphabet at position 1'],
  ["A-AA/AAA", "BASE64_INVALID", 'expected base64, got "/" in base64 of the other alphabet at position 4'],
  ["data:image/png;base64", "BASE64_INVALID", 'expected a data URI with ";base64,", got one without a comma'],
  [
    "data:image/png,YWJj",
    "BASE64_INVALID",
    'expected a data URI with ";base64" before its comma at position 14, got one without',
  ],
  [
    "data:image/png;base64;name=a,YWJj",
    "BASE64_INVALID",
    'expected a data URI with ";base64" before its comma at position 28, got one without',
  ],
  ["data:image/png;base64,YW%3D", "BASE64_INVALID", 'expected base64, got "%" at position 24'],
  ["http://127.0.0.1/a.png", "BASE64_INVALID", 'expected base64, got ":" at position 4'],
];

describe.each(ways)("decodeBase64, %s", (_, way) => {
  test.each(good)("takes %s", (_what, text, bytes) => {
    expect(outcome(text, way)).toEqual(Array.from(bytes, (character) => character.charCodeAt(0)));
  });

  test.each(refused)("refuses %j with %s", (text, reason, message) => {
    expect(outcome(text, way)).toBe(`${reason}: ${message}`);
  });

  test("owns a buffer of exactly the result's size, so that it may be transferred", () => {
    for (const text of ["YWJj", "Y W J j", "YQ"]) {
      const bytes = decodeBase64(text, undefined, way);
      expect([text, bytes.byteOffset, bytes.buffer.byteLength]).toEqual([text, 0, bytes.length]);
    }
  });

  test("holds the limit to the byte, white space not counted", () => {
    const limit =
      "SOURCE_TOO_LARGE: expected a picture of at most 3 bytes (--max-image-bytes), got base64 of";
    expect(outcome("YWJj", way, 3)).toEqual([97, 98, 99]);
    expect(outcome("Y W J j \n\n\n\n", way, 3)).toEqual([97, 98, 99]);
    expect(outcome("data:image/png;base64,YQ==", way, 3)).toEqual([97]);
    expect(outcome("YWJjYQ==", way, 3)).toBe(`${limit} 4 bytes`);
    expect(outcome("YWJjYWJj", way, 3)).toBe(`${limit} 6 bytes`);
  });
});

test("both ways agree with each other and with Node's Buffer on every length, wrapped or not", () => {
  for (let length = 1; length <= 200; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length * 37) & 255);
    const text = Buffer.from(bytes).toString("base64");
    const wrapped = text.replace(/.{7}/g, "$&\r\n");
    for (const variant of [text, wrapped, Buffer.from(bytes).toString("base64url")]) {
      for (const [, way] of ways) expect(outcome(variant, way)).toEqual(Array.from(bytes));
    }
  }
});

test("both ways agree on 20,000 texts of awkward characters", () => {
  const alphabet = "AQgwYWZ09+/-_== \n\t%\u00e9\0";
  let seed = 1;
  const next = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  let decoded = 0;
  for (let i = 0; i < 20_000; i++) {
    // Mostly digits, so that a good share of the texts decodes.
    const text = Array.from(
      { length: next(12) },
      () => alphabet[next(next(3) === 0 ? alphabet.length : 9)],
    ).join("");
    const byTable = outcome(text, null);
    expect([text, outcome(text, native)]).toEqual([text, byTable]);
    if (typeof byTable !== "string") decoded++;
  }
  expect(decoded).toBeGreaterThan(4_000);
});

test("a text of 13 million characters takes well less than a second of processor time", () => {
  const bytes = new Uint8Array(10 * 2 ** 20).map((_, i) => (i * 31) ^ (i >> 8));
  const text = Buffer.from(bytes).toString("base64");
  const before = process.cpuUsage();
  const decoded = decodeBase64(text, undefined, null);
  const { user, system } = process.cpuUsage(before);
  expect(Buffer.compare(decoded, bytes)).toBe(0);
  expect((user + system) / 1000).toBeLessThan(1000);
});
