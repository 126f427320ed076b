import { describe, expect, test } from "vitest";
import {
  healthPath,
  http1Answers,
  http1Call,
  http1Head,
  http2Preface,
  type RawParts,
} from "../../../tools/mutation/request-raw.ts";
import { useRequestVictim } from "../../../tools/mutation/use-request-victim.ts";

// What is hostile or odd about a Host, a body over the limit or a connection that says nothing is looked at in
// guarded-handler*.spec.ts, one-port-server-hostile.spec.ts, slow-senders.spec.ts and unread-replies.spec.ts.

const { exchange, expectUnhurt } = useRequestVictim();

const chunked = (body: string) => `${http1Head("Transfer-Encoding: chunked")}${body}`;
const get = (target: string, ...fields: string[]) =>
  [`GET ${target} HTTP/1.1`, "Host: a", ...fields, "", ""].join("\r\n");
const version = (text: string) => http1Call.replace("HTTP/1.1", text);
const method = (name: string) => http1Call.replace("POST", name);
const two = ["Content-Length: 2"] as const;

/** Answered with these statuses, then closed. */
const closing: readonly [string, RawParts, number[]][] = [
  ["HTTP/0.9", ["GET /\r\n\r\n"], [200]],
  ["HTTP/2.0 in a request line", [version("HTTP/2.0")], [200]],
  ["HTTP/3.0", [version("HTTP/3.0")], [400]],
  ["HTTP/1.9", [version("HTTP/1.9")], [400]],
  ["a version that is none", [version("HTTQ/1.1")], [400]],
  ["a chunk of a size that is none", [chunked("zz\r\n{}\r\n0\r\n\r\n")], [400]],
  ["a chunk of a size beyond 64 bits", [chunked("fffffffffffffffff\r\n{}")], [400]],
  ["a chunk of a negative size", [chunked("-2\r\n{}\r\n0\r\n\r\n")], [400]],
  ["a chunk without its CRLF", [chunked("2\r\n{}0\r\n\r\n")], [400]],
  ["a chunk size that ends in LF alone", [chunked("2\n{}\r\n0\r\n\r\n")], [400]],
  ["a chunk that says too much of itself", [chunked(`2;${"x".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`)], [413]],
  ["trailers too long", [chunked(`2\r\n{}\r\n0\r\nX: ${"y".repeat(20_000)}\r\n\r\n`)], [431]],
  ["chunked twice", [http1Head("Transfer-Encoding: chunked, chunked"), "2\r\n{}\r\n0\r\n\r\n"], [400]],
  ["chunked, but not last", [http1Head("Transfer-Encoding: chunked, gzip"), "2\r\n{}\r\n0\r\n\r\n"], [400]],
  ["a transfer encoding that is none", [http1Head("Transfer-Encoding: xchunked"), "{}"], [400]],
  ["chunked, with a length", [http1Head(...two, "Transfer-Encoding: chunked"), "0\r\n\r\n"], [400]],
  ["a negative length", [http1Head("Content-Length: -2"), "{}"], [400]],
  ["a length beyond 64 bits", [http1Head("Content-Length: 99999999999999999999"), "{}"], [400]],
  ["a length of 8 PiB, and 2 bytes", [http1Head("Content-Length: 9007199254740991"), "{}"], [429]],
  ["a length in hex", [http1Head("Content-Length: 0x2"), "{}"], [400]],
  ["a length with a plus", [http1Head("Content-Length: +2"), "{}"], [400]],
  ["a request line too long", [get(`/${"x".repeat(20_000)}`)], [431]],
  ["a message of a GET too long", [get(`${healthPath}?message=${"A".repeat(20_000)}`)], [431]],
  ["3000 header fields", [get("/", ...Array.from({ length: 3_000 }, (_, index) => `${index}:`))], [431]],
  ["10,000 header fields", [get("/", ...Array.from({ length: 10_000 }, (_, i) => `x${i}: y`))], [431]],
  ["a NUL in a field", [get("/", "X: a\0b")], [400]],
  ["a NUL in the name of a field", [get("/", "X\0: a")], [400]],
  ["a NUL in the target", [get("/\0")], [400]],
  ["a space before a colon", [get("/", "X : a")], [400]],
  ["a field over two lines", [get("/", "X: a\r\n b")], [400]],
  ["a field that ends in CR alone", [get("/", "X: a\rY: b")], [400]],
  ["a method that is none", [method("PSOT")], [400]],
  ["a target without a slash", [get("x")], [400]],
  ["garbage behind a good call", [`${http1Call}\0\x01\x02garbage`], [400]],
  ["CONNECT", ["CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"], []],
];

/** Answered with these statuses, and then the same connection answers a good call. */
const going: readonly [string, RawParts, number[]][] = [
  ["two Hosts", [http1Head("Host: b", ...two), "{}"], [400]],
  ["an empty Host", [http1Head(...two).replace("Host: a", "Host: "), "{}"], [400]],
  ["chunks with trailers", [chunked("2\r\n{}\r\n0\r\nX: y\r\n\r\n")], [200]],
  ["TRACE", [method("TRACE")], [405]],
  ["OPTIONS *", [get("*").replace("GET", "OPTIONS")], [404]],
  ["OPTIONS of a call", [get(healthPath).replace("GET", "OPTIONS")], [405]],
  ["the absolute form", [http1Call.replace(healthPath, `http://a${healthPath}`)], [404]],
  ["the absolute form of another host", [get("http://169.254.169.254/latest/meta-data/")], [404]],
  ["a path of dots", [get("/../../etc/passwd")], [404]],
  ["a percent sign alone", [get("/%")], [404]],
  ["an upgrade to websocket", [get("/", "Connection: upgrade", "Upgrade: websocket")], [200]],
  [
    "an upgrade to h2c",
    [
      http1Head("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", ...two),
      "{}",
    ],
    [200],
  ],
  ["Expect: something-odd", [http1Head("Expect: something-odd", ...two), "{}"], [417]],
  ["Expect: 100-continue", [http1Head("Expect: 100-continue", ...two), "{}"], [100, 200]],
  ["three calls at once", [http1Call + http1Call + http1Call], [200, 200, 200]],
  ["an unknown method with a body", [http1Call.replace("Check", "Nope")], [404]],
  ["a compressed body that is none", [http1Head("Content-Encoding: gzip", ...two), "{}"], [400]],
  ["an encoding that is none", [http1Head("Content-Encoding: zstd", ...two), "{}"], [501]],
  ["a timeout that is none", [http1Head("Connect-Timeout-Ms: -1", ...two), "{}"], [400]],
  ["a timeout beyond all", [http1Head("Connect-Timeout-Ms: 99999999999999999999", ...two), "{}"], [400]],
  ["gRPC", [http1Head("Content-Length: 5").replace("json", "grpc"), "\0\0\0\0\0"], [200]],
];

describe("HTTP/1.1 that is hostile or odd", () => {
  test.each(closing)("%s is answered and the connection closed", async (_, parts, statuses) => {
    const { text, closed } = await exchange(parts, () => false);
    expect(http1Answers(text).statuses).toEqual(statuses);
    expect(closed).toBe(true);
  });

  test.each(going)("%s is answered and the connection goes on", async (_, parts, statuses) => {
    const isGood = (text: string) =>
      http1Answers(text).isGood && http1Answers(text).statuses.length > statuses.length;
    const { text } = await exchange([...parts, http1Call], isGood);
    expect(http1Answers(text)).toEqual({ statuses: [...statuses, 200], isGood: true });
  });

  test("and none of it has hurt the server", expectUnhurt);
});

describe("a part of the HTTP/2 preface", () => {
  const lengths = Array.from({ length: http2Preface.length - 1 }, (_, index) => index + 1);
  const sendAll = (...more: string[]) =>
    Promise.all(lengths.map((length) => exchange([http2Preface.subarray(0, length), ...more], () => false)));

  test("of any length and then silence is closed", async () => {
    for (const answer of await sendAll()) expect(answer).toEqual({ text: "", closed: true });
  });

  test("of any length and then garbage is closed as bad HTTP/1.1", async () => {
    for (const { text, closed } of await sendAll("garbage\r\n\r\n")) {
      // Node says nothing to "PRI *garbage".
      expect([[400], []]).toContainEqual(http1Answers(text).statuses);
      expect(closed).toBe(true);
    }
  });

  test("hurts nobody", expectUnhurt);
});
