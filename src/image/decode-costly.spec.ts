import { constants, deflateRawSync, deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import type { EmbedError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { createDecodeImage } from "./decode-image.ts";

// Small files that once took seconds or minutes. Time is only ever compared with an ordinary picture's of the same size.
const decodeImage = createDecodeImage(readCodecs(), { maxPixels: 4_000_000 });

async function outcomeOf(bytes: Uint8Array): Promise<string> {
  try {
    const { pixels } = await decodeImage(bytes);
    return `${pixels.width} x ${pixels.height}`;
  } catch (error) {
    const { reason, message } = error as EmbedError;
    return `${reason}: ${message}`;
  }
}

/** The quickest of three, in milliseconds. */
async function timeOf(bytes: Uint8Array): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const startedAt = performance.now();
    await outcomeOf(bytes);
    times.push(performance.now() - startedAt);
  }
  return Math.min(...times);
}

const repeat = (bytes: readonly number[] | Uint8Array, times: number) =>
  new Uint8Array(bytes.length * times).map((_, i) => bytes[i % bytes.length]!);
const join = (...parts: readonly (Uint8Array | readonly number[])[]) =>
  Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
const ascii = (text: string) => new TextEncoder().encode(text);

/** An RGB TIFF of one row a strip, all of whose strips are the same bytes of the file. */
function sharedStrips(width: number, height: number, compression: number, strip: Uint8Array): Uint8Array {
  const tags: readonly (readonly [number, number, readonly number[]])[] = [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, [8]],
    [259, 3, [compression]],
    [262, 3, [2]],
    [273, 4, Array<number>(height).fill(8 + 2 + 9 * 12 + 4 + 8 * height)],
    [277, 3, [3]],
    [278, 4, [1]],
    [279, 4, Array<number>(height).fill(strip.length)],
  ];
  const head = Buffer.alloc(8 + 2 + tags.length * 12 + 4);
  head.write("II*\0");
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(tags.length, 8);
  const lists: Buffer[] = [];
  let listAt = head.length;
  for (const [i, [tag, type, values]] of tags.entries()) {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(values.length, at + 4);
    head.writeUInt32LE(values.length === 1 ? values[0]! : listAt, at + 8);
    if (values.length === 1) continue;
    lists.push(Buffer.from(Uint32Array.from(values).buffer));
    listAt += 4 * values.length;
  }
  return join(head, ...lists, strip);
}

const zlibHead = [0x78, 0x9c];
const emptyStoredBlock = [0, 0, 0, 255, 255];

test("strips that share one long stream cost what they take of it", async () => {
  const shared = sharedStrips(150, 20_000, 8, deflateSync(new Uint8Array(2 ** 24), { level: 9 }));
  const ordinary = sharedStrips(150, 20_000, 8, deflateSync(new Uint8Array(450)));
  expect(await outcomeOf(shared)).toBe("150 x 20000");
  expect(await timeOf(shared)).toBeLessThan(10 * (await timeOf(ordinary)));
});

test.each<[string, number, Uint8Array]>([
  [
    "empty blocks",
    8,
    join(zlibHead, repeat(emptyStoredBlock, 4000), deflateSync(new Uint8Array(90)).subarray(2)),
  ],
  // Codes have 9 bits: "clear" eight times in nine bytes, then ninety times 0.
  ["LZW clear codes", 5, join(repeat([128, 64, 32, 16, 8, 4, 2, 1, 0], 2000), new Uint8Array(102))],
])("strips that share %s are refused", async (_, compression, strip) => {
  const bytes = sharedStrips(30, 20_000, compression, strip);
  expect(await outcomeOf(bytes)).toBe(
    `IMAGE_UNSUPPORTED: this kind of TIFF is not supported: ${bytes.length} bytes that take far more work than their 1800000 bytes of pixels need`,
  );
});

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const body = join(ascii(type), data);
  const ends = new DataView(new ArrayBuffer(8));
  ends.setUint32(0, data.length);
  ends.setUint32(4, crc32(body));
  return join(new Uint8Array(ends.buffer, 0, 4), body, new Uint8Array(ends.buffer, 4, 4));
}

function greyPng(width: number, height: number, ...chunks: readonly Uint8Array[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  return join(
    [0x89, ...ascii("PNG\r\n\x1a\n")],
    pngChunk("IHDR", new Uint8Array(header.buffer)),
    ...chunks,
    pngChunk("IEND", new Uint8Array(0)),
  );
}

/** Eight blocks that define codes of their own, of 92 bits each, only to end at once. */
function emptyDynamicBlocks(): Uint8Array {
  // Type 2; 257 literals, 1 distance, 18 lengths; then the lengths: 256 times 0, 1 for the block's end, 1 for a distance.
  const head = [
    "001",
    "00000",
    "00000",
    "0111",
    ...Array.from({ length: 18 }, (_, i) => lengthBits.get(i) ?? "000"),
  ];
  const block = [...head, "0", "1111111", "0", "1101011", "11", "11", "0"].join("");
  const bits = block.repeat(8);
  return Uint8Array.from({ length: bits.length / 8 }, (_, i) =>
    Number.parseInt([...bits.slice(8 * i, 8 * i + 8)].reverse().join(""), 2),
  );
}
/** Low bit first. Code lengths: one bit for "11 to 138 zeros", two for 0 and for 1. */
const lengthBits: ReadonlyMap<number, string> = new Map([
  [2, "100"],
  [3, "010"],
  [17, "010"],
]);

test("a PNG of blocks that give nothing is refused", async () => {
  const bytes = greyPng(1, 1, pngChunk("IDAT", join(zlibHead, repeat(emptyDynamicBlocks(), 8000))));
  expect(await outcomeOf(bytes)).toBe(
    `IMAGE_UNSUPPORTED: this kind of PNG is not supported: ${bytes.length} bytes that take far more work than their 20 bytes of pixels need`,
  );
});

test.each([5, 20, 60])(
  "narrow rows of %i pixels are under the bound, each with codes of its own",
  async (width) => {
    // A stream that is ended and flushed at each row.
    const rows = Array.from({ length: 2000 }, (_, y) => {
      const row = Uint8Array.from({ length: width + 1 }, (_, x) => (x === 0 ? 0 : 3 * ((x * y) % 5)));
      return deflateRawSync(row, { level: 9, finishFlush: constants.Z_FULL_FLUSH });
    });
    const bytes = greyPng(width, 2000, pngChunk("IDAT", join(zlibHead, ...rows)));
    expect(await outcomeOf(bytes)).toBe(`${width} x 2000`);
  },
);

test("a PNG of two million rows takes no more than ten times a square one", async () => {
  const tall = greyPng(1, 2_000_000, pngChunk("IDAT", deflateSync(new Uint8Array(4_000_000))));
  const square = greyPng(2000, 1000, pngChunk("IDAT", deflateSync(new Uint8Array(2_001_000))));
  expect(await outcomeOf(tall)).toBe("1 x 2000000");
  expect(await timeOf(tall)).toBeLessThan(10 * (await timeOf(square)));
});

const jpegSegment = (marker: number, ...data: readonly number[]) => [
  0xff,
  marker,
  (data.length + 2) >> 8,
  (data.length + 2) & 255,
  ...data,
];
/** Each table has the codes 0, 10 and 110 at most. */
const huffmanTable = (target: number, ...symbols: readonly number[]) =>
  jpegSegment(
    0xc4,
    target,
    ...Array.from({ length: 16 }, (_, i) => (i < symbols.length ? 1 : 0)),
    ...symbols,
  );

/** A CMYK JPEG of 1000 x 1000, which mozjpeg does not decode. */
function cmykJpeg(
  frame: number,
  restartInterval: number,
  ...scans: readonly (readonly number[] | Uint8Array)[]
) {
  return join(
    [0xff, 0xd8],
    jpegSegment(0xdb, 0, ...Array<number>(64).fill(1)),
    jpegSegment(frame, 8, 3, 232, 3, 232, 4, ...[1, 2, 3, 4].flatMap((id) => [id, 0x11, 0])),
    huffmanTable(0x00, 0),
    huffmanTable(0x10, 0, 0xe0),
    jpegSegment(0xdd, restartInterval >> 8, restartInterval & 255),
    ...scans,
    [0xff, 0xd9],
  );
}
const allOfIt = jpegSegment(0xda, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0);

test("restarts without markers do not search the file again and again", async () => {
  const data = new Uint8Array(2_000_000);
  const ordinary = await timeOf(cmykJpeg(0xc0, 0, allOfIt, data));
  const restarts = cmykJpeg(0xc0, 1, allOfIt, data);
  expect(await outcomeOf(restarts)).toBe("1000 x 1000");
  expect(await timeOf(restarts)).toBeLessThan(10 * ordinary);
});

test("a large JPEG may have the scans that encoders write, not a hundred", async () => {
  const first = [...jpegSegment(0xda, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 0, 0), 0];
  const empty = [...jpegSegment(0xda, 1, 1, 0, 1, 63, 0x10), 0];
  const decodeLarge = (...scans: readonly (readonly number[])[]) => {
    // A comment, for a file so short could not claim so much.
    const bytes = cmykJpeg(0xc2, 0, jpegSegment(0xfe, ...new Uint8Array(4000)), ...scans);
    // The frame header says 2000 x 2000 instead.
    bytes.set([7, 208, 7, 208], bytes.indexOf(0xc2) + 4);
    return outcomeOf(bytes);
  };
  expect(await decodeLarge(first, ...Array<number[]>(60).fill(empty))).toBe("2000 x 2000");
  expect(await decodeLarge(...Array<number[]>(99).fill(first))).toBe(
    "IMAGE_UNSUPPORTED: this kind of JPEG is not supported: scans that walk more than 7194304 blocks of 8 x 8 samples",
  );
});

test("a WebP of a million chunks that are none of ours is read in one pass", async () => {
  const chunks = join(
    ascii("VP8X"),
    [10, 0, 0, 0],
    new Uint8Array(10),
    repeat([...ascii("JUNK"), 0, 0, 0, 0], 1_000_000),
  );
  const bytes = join(ascii("RIFF"), new Uint8Array(4), ascii("WEBP"), chunks);
  new DataView(bytes.buffer).setUint32(4, bytes.length - 8, true);
  expect(await outcomeOf(bytes)).toBe("IMAGE_CORRUPT: corrupt WebP: expected a chunk VP8 or VP8L, got VP8X");
});
