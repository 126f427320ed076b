import type { Random } from "../random.ts";
import { isHttp2, type RequestPiece, splitRequest } from "./request-pieces.ts";

/** A whole request as a client sent it. */
export interface RequestSample {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface MutatedRequest {
  /** The sample and what was done to it, in words. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What one step does to bytes; `other` is another request. */
type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** The longest that a step inserts, deletes or repeats. */
const rangeMaxBytes = 64;
const prefaceBytes = 24;

/** What parsers stumble over: separators, ends, lengths at the edge of a type, whole fields and frames. */
const tokens: readonly Uint8Array[] = [
  ...[
    "\r\n",
    "\r\n\r\n",
    "\n",
    "\0",
    " ",
    "%00",
    "%zz",
    "..",
    "[::1",
    "?",
    "#",
    "é",
    "\ud83d",
    "{",
    "[",
    '"',
    "\\",
  ],
  ...["-1", "0", "65536", "4294967296", "99999999999999999999", "1e309", "0x10", "null", "NaN"],
  ...["Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Host: b\r\n"],
  ...["Connection: close\r\n", "Upgrade: h2c\r\n", "Content-Encoding: br\r\n", "Connect-Timeout-Ms: 0\r\n"],
]
  .map((text) => Buffer.from(text))
  .concat(
    [
      "ffffffff",
      "7fffffff",
      "80000000",
      "ffffffffffffffffff01",
      "0000000000",
      "01ffffffff",
      "000000040000000000",
      "000000040100000000",
      "0000040800000000007fffffff",
      "00000403000000000100000008",
      "000008060000000000aaaaaaaaaaaaaaaa",
      "000008070000000000ffffffff00000000",
      "000005020000000001000000010f",
      "00000009040000000100",
      "1f8b0800000000000003",
    ].map((hex) => Buffer.from(hex, "hex")),
  );

const mutations: Readonly<Record<string, Mutation>> = {
  flip(bytes, random) {
    const changed = Uint8Array.from(bytes);
    const at = random.below(bytes.length);
    changed[at] = bytes[at]! ^ (1 << random.below(8));
    return changed;
  },
  change(bytes, random) {
    const changed = Uint8Array.from(bytes);
    changed[random.below(bytes.length)] = random.pick([
      0,
      9,
      10,
      13,
      32,
      127,
      128,
      254,
      255,
      random.below(256),
    ]);
    return changed;
  },
  insert: (bytes, random) =>
    replace(bytes, random.below(bytes.length + 1), 0, random.bytes(1 + random.below(rangeMaxBytes))),
  "insert token": (bytes, random) => replace(bytes, random.below(bytes.length + 1), 0, random.pick(tokens)),
  "overwrite with token": (bytes, random) => {
    const token = random.pick(tokens);
    return replace(bytes, random.below(bytes.length), token.length, token);
  },
  delete: (bytes, random) =>
    replace(bytes, random.below(bytes.length), 1 + random.below(rangeMaxBytes), new Uint8Array(0)),
  truncate: (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  repeat(bytes, random) {
    const start = random.below(bytes.length);
    const range = bytes.subarray(start, start + 1 + random.below(rangeMaxBytes));
    const copies = Array<Uint8Array>(1 + random.below(random.chance(5) ? 2_000 : 4)).fill(range);
    return replace(bytes, start, 0, Buffer.concat(copies));
  },
  move(bytes, random) {
    const start = random.below(bytes.length);
    const range = bytes.subarray(start, start + 1 + random.below(rangeMaxBytes));
    const rest = replace(bytes, start, range.length, new Uint8Array(0));
    return replace(rest, random.below(rest.length + 1), 0, range);
  },
  splice: (bytes, random, other) =>
    Buffer.concat([
      bytes.subarray(0, random.below(bytes.length)),
      other.subarray(random.below(other.length)),
    ]),
  "splice behind": (bytes, _random, other) =>
    Buffer.concat([bytes, isHttp2(bytes) && isHttp2(other) ? other.subarray(prefaceBytes) : other]),
  number(bytes, random) {
    const numbers = [...Buffer.from(bytes).toString("latin1").matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const number = random.pick(numbers);
    const value = random.pick([
      "-1",
      "0",
      "1",
      "65536",
      "2147483648",
      "99999999999999999999",
      "1e9",
      "0x1",
      " ",
      "",
    ]);
    return replace(bytes, number.index, number[0].length, Buffer.from(value));
  },
};
const names = Object.keys(mutations);

/**
 * One to four steps on one sample. Half of the requests are changed as they lie on the wire; in the others one
 * part is changed and the lengths around it are set right, so that the change gets past the framing.
 */
export function mutateRequest(samples: readonly RequestSample[], random: Random): MutatedRequest {
  const sample = random.pick(samples);
  const other = random.pick(samples);
  const steps = Array.from({ length: 1 + random.below(4) }, () => random.pick(names));
  const isFramed = random.chance(50);
  const change = (bytes: Uint8Array) =>
    steps.reduce((now, step) => (now.length === 0 ? now : mutations[step]!(now, random, other.bytes)), bytes);

  const name = `${sample.name}: ${isFramed ? "in its frames, " : ""}${steps.join(", ")} (with ${other.name})`;
  if (isFramed) return { name, bytes: changePart(splitRequest(sample.bytes), random, change) };
  // A preface that differs makes it HTTP/1.1, which is bad in one way only.
  if (!isHttp2(sample.bytes) || random.chance(10)) return { name, bytes: change(sample.bytes) };
  const [preface, rest] = [sample.bytes.subarray(0, prefaceBytes), sample.bytes.subarray(prefaceBytes)];
  return { name, bytes: Buffer.concat([preface, change(rest)]) };
}

function changePart(
  pieces: readonly RequestPiece[],
  random: Random,
  change: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const changed = random.below(pieces.length);
  return Buffer.concat(
    pieces.map(({ payload, write }, index) => write(index === changed ? change(payload) : payload)),
  );
}

function replace(bytes: Uint8Array, start: number, length: number, by: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, start), by, bytes.subarray(start + length)]);
}
