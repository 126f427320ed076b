import { crc32, deflateSync, inflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../tools/random.ts";
import { decodePng } from "./decode-png.ts";
import { readPngChunk } from "./header-png.ts";
import type { Pixels } from "./pixels.ts";
import { readHeader } from "./read-header.ts";
import { writePng } from "./write-png.ts";

/** Rows in bands of four, each band of the kind that one filter foretells best, from noise at its first row. */
function picture(width: number, height: number, isGrey = false): Pixels {
  const random = createRandom(7, width * 1000 + height);
  const samples = isGrey ? 1 : 3;
  const rowBytes = width * samples;
  const bytes = new Uint8Array(rowBytes * height);
  for (let i = 0; i < bytes.length; i++) {
    const [x, y] = [i % rowBytes, Math.floor(i / rowBytes)];
    const left = x < samples ? 0 : bytes[i - samples]!;
    const above = y === 0 ? 0 : bytes[i - rowBytes]!;
    const nearly = random.pick([0, 1, 255]);
    const smooth = Math.floor(x / samples) * 3 + y * 5;
    const value = [random.pick([0, 2, 254]), left + nearly, above + nearly, (left + above) >> 1, smooth];
    bytes[i] = y % 4 === 0 ? random.below(256) : value[Math.floor(y / 4) % 5]!;
  }
  const data = isGrey
    ? Uint8Array.from({ length: bytes.length * 3 }, (_, i) => bytes[Math.floor(i / 3)]!)
    : bytes;
  return { width, height, data };
}

const deflate = (bytes: Uint8Array) => deflateSync(bytes);

/** Type, bytes and whether the CRC is right of each chunk. */
function chunksOf(png: Uint8Array) {
  const chunks = [];
  for (let at = 8; at < png.length; ) {
    const length = new DataView(png.buffer).getUint32(at);
    const body = png.subarray(at + 4, at + 8 + length);
    const isSound = new DataView(png.buffer).getUint32(at + 8 + length) === crc32(body);
    chunks.push({ type: Buffer.from(body.subarray(0, 4)).toString(), data: body.subarray(4), isSound });
    at += 12 + length;
  }
  return chunks;
}

describe("pixels come back from a PNG as they were", () => {
  test.each([
    [1, 1],
    [2, 3],
    [5, 1],
    [1, 5],
    [224, 224],
    [299, 301],
  ])("%i x %i", async (width, height) => {
    for (const isGrey of [false, true]) {
      const pixels = picture(width, height, isGrey);
      const png = await writePng(pixels, deflate);
      expect(readHeader(png)).toEqual({ format: "png", width, height, frames: 1 });
      expect(decodePng(png)).toEqual(pixels);
    }
  });
});

test("it is made of three sound chunks, and its rows have every filter", async () => {
  const png = await writePng(picture(64, 64), deflate);
  const chunks = chunksOf(png);
  expect(chunks.map(({ type, isSound }) => ({ type, isSound }))).toEqual(
    ["IHDR", "IDAT", "IEND"].map((type) => ({ type, isSound: true })),
  );
  expect([...chunks[0]!.data]).toEqual([0, 0, 0, 64, 0, 0, 0, 64, 8, 2, 0, 0, 0]);
  const rows = inflateSync(chunks[1]!.data);
  expect(rows.length).toBe(64 * (64 * 3 + 1));
  const filters = Array.from({ length: 64 }, (_, y) => rows[y * (64 * 3 + 1)]);
  expect(new Set(filters)).toEqual(new Set([0, 1, 2, 3, 4]));
  expect(readPngChunk(png, 8)).toMatchObject({ type: "IHDR" });
});

test("grey pixels take one sample each", async () => {
  const png = await writePng(picture(64, 64, true), deflate);
  expect([...chunksOf(png)[0]!.data]).toEqual([0, 0, 0, 64, 0, 0, 0, 64, 8, 0, 0, 0, 0]);
});
