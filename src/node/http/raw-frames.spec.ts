import { describe, expect, test } from "vitest";
import {
  http1Call,
  http2Answers,
  http2Call,
  http2Fields,
  http2Preface,
  isGoodHttp2,
  type RawParts,
} from "../../../tools/mutation/request-raw.ts";
import { useRequestVictim } from "../../../tools/mutation/use-request-victim.ts";
import { http2Frame, http2Headers, http2Hello } from "../../../tools/raw-http.ts";

// A malformed authority, a body over the limit and an idle session are looked at in one-port-server*.spec.ts
// and guarded-handler-bodies.spec.ts. Numbers of errors are those of RFC 9113, section 7.

const { exchange, expectUnhurt } = useRequestVictim();

const [data, headers, priority, reset, settings, promise, ping, goAway, window, continuation] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
] as const;
const none = Buffer.alloc(0);
const body = Buffer.from("{}");
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const setting = (id: number, value: number) =>
  http2Frame(settings, 0, 0, Buffer.concat([Buffer.from([0, id]), u32(value)]));
const repeat = (count: number, frames: (index: number) => Uint8Array | Uint8Array[]) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => frames(index)).flat());
const odd = (index: number) => 2 * index + 1;
const cancel = (stream: number) => http2Frame(reset, 0, stream, u32(8));

const open = (stream: number) => http2Headers(stream, http2Fields(), false);
/** Header fields without the flag that ends them. */
function unended(stream: number): Buffer {
  const frame = open(stream);
  frame[4] = 0;
  return frame;
}
const block = open(1).subarray(9);
const alone = (...more: [string, string][]) => [http2Hello, http2Headers(1, http2Fields(...more), true)];
const withField = (name: string, value: string) => [http2Hello, http2Call(1, [name, value])];
const changed = (name: string, value?: string) => {
  const rest = http2Fields().filter((field) => field[0] !== name);
  return [http2Hello, http2Headers(1, value === undefined ? rest : [[name, value], ...rest], true)];
};
/** HPACK (RFC 7541): a field of 4000 bytes into the table, then its number so many times. */
const hpackBomb = (count: number) =>
  http2Frame(
    headers,
    5,
    1,
    Buffer.concat([Buffer.from("4001787fa11e", "hex"), Buffer.alloc(4_000, "y"), Buffer.alloc(count, 0xbe)]),
  );

/** End the session. */
const closing: readonly [string, RawParts, string][] = [
  ["no settings", [http2Preface, http2Call(1)], "goaway 1"],
  ["HTTP/1.1 behind the preface", [http2Preface, http1Call], "goaway 1"],
  ["an initial window too large", [http2Hello, setting(4, 2 ** 31)], "goaway 3"],
  ["frames of a size too small", [http2Hello, setting(5, 1)], "goaway 1"],
  ["settings of five bytes", [http2Hello, http2Frame(settings, 0, 0, Buffer.alloc(5))], "goaway 6"],
  ["settings of a stream", [http2Hello, http2Frame(settings, 0, 1, none)], "goaway 1"],
  ["a ping of seven bytes", [http2Hello, http2Frame(ping, 0, 0, Buffer.alloc(7))], "goaway 6"],
  [
    "a window beyond 2 ** 31, of the session",
    [http2Hello, http2Frame(window, 0, 0, u32(2 ** 31 - 1)), http2Call(1)],
    "goaway 3",
  ],
  [
    "a window beyond 2 ** 31, of a stream",
    [http2Hello, open(1), http2Frame(window, 0, 1, u32(2 ** 31 - 1))],
    "goaway 3",
  ],
  ["a window that grows by nothing", [http2Hello, open(1), http2Frame(window, 0, 1, u32(0))], "goaway 1"],
  ["a window of a stream that is not", [http2Hello, http2Frame(window, 0, 9, u32(1))], "goaway 1"],
  [
    "header fields that go on in another stream",
    [http2Hello, unended(1), http2Frame(continuation, 4, 3, none)],
    "goaway 1",
  ],
  ["data amid header fields", [http2Hello, unended(1), http2Frame(data, 1, 1, body)], "goaway 1"],
  [
    "a stream that depends on itself",
    [http2Hello, http2Frame(headers, 0x24, 1, Buffer.concat([u32(1), Buffer.from([15]), block]))],
    "goaway 1",
  ],
  ["a frame too long", [http2Hello, open(1), http2Frame(data, 0, 1, Buffer.alloc(16_385))], "goaway 6"],
  [
    "a promise of a client",
    [http2Hello, http2Frame(promise, 4, 1, Buffer.concat([u32(2), block]))],
    "goaway 1",
  ],
  ["data of the session", [http2Hello, http2Frame(data, 0, 0, body)], "goaway 1"],
  [
    "padding longer than its frame",
    [http2Hello, open(1), http2Frame(data, 9, 1, Buffer.from([255, 1]))],
    "goaway 1",
  ],
  ["a stream of an even number", [http2Hello, http2Call(2)], "goaway 1"],
  ["a goodbye", [http2Hello, http2Frame(goAway, 0, 0, Buffer.alloc(8)), http2Call(1)], "goaway 0"],
  ["a number of no field", [http2Hello, http2Frame(headers, 5, 1, Buffer.from("ffff7f", "hex"))], "goaway 9"],
];

/** Answered so, and then the same session answers a good call. */
const going: readonly [string, RawParts, string][] = [
  ["a setting that is none", [http2Hello, setting(99, 7)], ""],
  [
    "a window of zero, opened later",
    [http2Hello, setting(4, 0), http2Call(1), setting(4, 65_535)],
    "status 200",
  ],
  ["a reset of a stream that has ended", [http2Hello, http2Call(1), cancel(1)], "status 200"],
  [
    "1000 frames of no known type",
    [http2Hello, repeat(1_000, (index) => http2Frame(16 + (index % 200), 255, index, Buffer.alloc(9)))],
    "",
  ],
  [
    "a priority of a stream that depends on itself",
    [http2Hello, http2Frame(priority, 0, 1, Buffer.concat([u32(1), Buffer.from([15])]))],
    "",
  ],
  [
    "300 streams at once, left later",
    [http2Hello, repeat(300, (index) => open(odd(index))), repeat(300, (index) => cancel(odd(index)))],
    "reset 7",
  ],
  ["a stream of a lower number", [http2Hello, http2Call(5), http2Call(3)], "status 200"],
  ["header fields that unpack to 16 MB", [http2Hello, hpackBomb(4_000)], "reset 11"],
  ["header fields that unpack to 40 KB", [http2Hello, hpackBomb(10)], "reset 1"],
  ["a field in capitals", alone(["X", "y"]), "reset 1"],
  ["a field of the connection", alone(["connection", "close"]), "reset 1"],
  ["a NUL in a field", alone(["x", "a\0b"]), "status 400"],
  ["two paths", alone([":path", "/"]), "reset 1"],
  ["no path", changed(":path"), "reset 1"],
  ["no method", changed(":method"), "reset 1"],
  ["an empty path", changed(":path", ""), "reset 1"],
  ["a path without a slash", changed(":path", "x"), "reset 1"],
  ["a path of all", changed(":path", "*"), "reset 1"],
  [
    "CONNECT",
    [
      http2Hello,
      http2Headers(
        1,
        [
          [":method", "CONNECT"],
          [":authority", "a:1"],
        ],
        false,
      ),
    ],
    "status 405",
  ],
  ["a length that is not the body's", withField("content-length", "99"), "reset 1"],
  ["a length that is none", withField("content-length", "-1"), "reset 1"],
  ["Expect: something-odd", withField("expect", "something-odd"), "status 417"],
  ["Expect: 100-continue", withField("expect", "100-continue"), "status 100, status 200"],
  ["trailers that begin another call", [http2Hello, open(1), alone()[1]!], "reset 1"],
];

/** Too much of something, or too late: what is done about it depends on what the server has read by then. */
const untimely: readonly [string, RawParts][] = [
  ["data behind the end", [http2Hello, http2Call(1), http2Frame(data, 1, 1, body)]],
  ["100,000 settings", [http2Hello, repeat(100_000, () => setting(3, 100))]],
  ["100,000 pings", [http2Hello, repeat(100_000, () => http2Frame(ping, 0, 0, Buffer.alloc(8)))]],
  [
    "2000 streams reset",
    [http2Hello, repeat(2_000, (index) => [open, cancel].map((make) => make(odd(index))))],
  ],
  [
    "2000 calls reset",
    [http2Hello, repeat(2_000, (index) => [http2Call, cancel].map((make) => make(odd(index))))],
  ],
  [
    "100,000 frames of empty data",
    [http2Hello, open(1), repeat(100_000, () => http2Frame(data, 0, 1, none)), cancel(1)],
  ],
  [
    "9000 pieces of header fields",
    [http2Hello, unended(1), repeat(9_000, () => http2Frame(continuation, 0, 1, block))],
  ],
  [
    "90,000 empty pieces of header fields",
    [http2Hello, unended(1), repeat(90_000, () => http2Frame(continuation, 0, 1, none))],
  ],
];

describe("HTTP/2 that is hostile or odd", () => {
  test.each(closing)("%s ends the session", async (_, parts, expected) => {
    const { text, closed } = await exchange(parts, () => false);
    expect(http2Answers(text, 0)).toBe(expected);
    expect(closed).toBe(true);
  });

  const last = 9_001;
  test.each(going)("%s is answered and the session goes on", async (_, parts, expected) => {
    const isDone = (text: string) => isGoodHttp2(text, last) && http2Answers(text, last) === expected;
    const { text } = await exchange([...parts, http2Call(last)], isDone);
    expect(http2Answers(text, last)).toBe(expected);
    expect(isGoodHttp2(text, last)).toBe(true);
  });

  test.each(untimely)("%s: taken, or the end of the session", async (_, parts) => {
    const isDone = (text: string) => isGoodHttp2(text, last);
    const { text, closed } = await exchange([...parts, http2Call(last)], isDone);
    // A system that closes a connection with bytes unread throws away what it has not sent yet.
    if (closed) expect(http2Answers(text, last)).toMatch(/^$|goaway [25]$/);
    else expect(isGoodHttp2(text, last)).toBe(true);
  });

  test("and none of it has hurt the server", expectUnhurt);
});
