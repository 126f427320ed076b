import { crc32, deflateSync } from "node:zlib";
import type { Pixels } from "../../src/image/pixels.ts";

/** Colours of a palette; PNG takes no more (PNG 11.2.2). */
const coloursMax = 256;

/**
 * Writes a PNG with a palette, about a quarter of the size of one without. Colours are merged by median cut: the box of
 * colours that spreads furthest is halved until there are enough.
 * @param pixels (height, width, 3) uint8 RGB
 */
export function writePalettePng({ width, height, data }: Pixels): Uint8Array {
  const counts = new Map<number, number>();
  const keyAt = (offset: number) =>
    keyOf(data[offset] as number, data[offset + 1] as number, data[offset + 2] as number);
  for (let offset = 0; offset < data.length; offset += 3) {
    const key = keyAt(offset);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const boxes = cutBoxes([...counts.keys()], counts);
  const indexByKey = new Map(boxes.flatMap((keys, index) => keys.map((key) => [key, index] as const)));
  const palette = Uint8Array.from(boxes.flatMap((keys) => meanColour(keys, counts)));
  // Each row begins with its filter: 0, none (PNG 9.2).
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0, from = 0; y < height; y++) {
    const row = y * (width + 1) + 1;
    for (let x = 0; x < width; x++, from += 3) rows[row + x] = indexByKey.get(keyAt(from)) as number;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

type Channel = 0 | 1 | 2;

const keyOf = (red: number, green: number, blue: number): number => (red << 16) | (green << 8) | blue;
const partOf = (key: number, channel: Channel): number => (key >> ((2 - channel) * 8)) & 255;

function cutBoxes(all: readonly number[], counts: ReadonlyMap<number, number>): (readonly number[])[] {
  const boxes = [measure(all, counts)];
  while (boxes.length < coloursMax) {
    const widest = boxes.reduce((most, box) => (box.spread > most.spread ? box : most));
    if (widest.spread === 0) break;
    const keys = [...widest.keys].sort((a, b) => partOf(a, widest.channel) - partOf(b, widest.channel));
    const middle = Math.ceil(keys.length / 2);
    boxes.splice(
      boxes.indexOf(widest),
      1,
      measure(keys.slice(0, middle), counts),
      measure(keys.slice(middle), counts),
    );
  }
  return boxes.map(({ keys }) => keys);
}

/** The channel in which colours of a box lie furthest apart, weighed by how often they are met. */
function measure(keys: readonly number[], counts: ReadonlyMap<number, number>) {
  const pixels = keys.reduce((sum, key) => sum + (counts.get(key) as number), 0);
  const spreads = ([0, 1, 2] as const).map((channel) => {
    const parts = keys.map((key) => partOf(key, channel));
    const least = parts.reduce((a, b) => Math.min(a, b));
    return parts.reduce((a, b) => Math.max(a, b)) - least;
  });
  const widest = Math.max(...spreads);
  return { keys, channel: spreads.indexOf(widest) as Channel, spread: widest * Math.sqrt(pixels) };
}

function meanColour(keys: readonly number[], counts: ReadonlyMap<number, number>): number[] {
  const pixels = keys.reduce((sum, key) => sum + (counts.get(key) as number), 0);
  return ([0, 1, 2] as const).map((channel) => {
    const sum = keys.reduce((total, key) => total + partOf(key, channel) * (counts.get(key) as number), 0);
    return Math.round(sum / pixels);
  });
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
