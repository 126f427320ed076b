import { EmbedError } from "../errors.ts";
import { type PngHeader, pngColour, readPngHeader } from "./header-png.ts";
import { corruptImage } from "./image-errors.ts";
import { inflateThrough, type TakeInflated } from "./inflate-zlib.ts";
import { greyScale, readSample } from "./pack-samples.ts";
import type { Pixels } from "./pixels.ts";
import { readPngBody } from "./png-body.ts";
import { type PngLanes, unfilterPng } from "./png-unfilter.ts";
import { createWorkBudget } from "./work-budget.ts";

/** One reduced image of Adam7 (PNG specification, 8.2), or the whole one. */
interface Pass {
  readonly x0: number;
  readonly y0: number;
  readonly dx: number;
  readonly dy: number;
}

const wholePass: readonly Pass[] = [{ x0: 0, y0: 0, dx: 1, dy: 1 }];

const adam7Passes: readonly Pass[] = [
  { x0: 0, y0: 0, dx: 8, dy: 8 },
  { x0: 4, y0: 0, dx: 8, dy: 8 },
  { x0: 0, y0: 4, dx: 4, dy: 8 },
  { x0: 2, y0: 0, dx: 4, dy: 4 },
  { x0: 0, y0: 2, dx: 2, dy: 4 },
  { x0: 1, y0: 0, dx: 2, dy: 2 },
  { x0: 0, y0: 1, dx: 1, dy: 2 },
];

/** For fewer pixels a loop is quicker than a call that copies. */
const shortestSet = 32;

/** Writes the kept bytes of one row of a pass into the picture. */
type PutRow = (row: Uint8Array, columns: number, target: number, step: number) => void;

/**
 * Decodes a PNG of any colour type, bit depth and interlace. Alpha and tRNS are dropped, the colour under them
 * stays. Of an animated PNG it takes the default image. Rows are unfiltered as they are inflated, so memory is
 * the picture and a few rows.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function decodePng(bytes: Uint8Array): Pixels {
  const header = readPngHeader(bytes);
  const { palette, compressed } = readPngBody(bytes, header);
  const data = new Uint8Array(header.width * header.height * 3);
  const rows = createRowReader(header, chooseLanes(header), choosePutRow(header, palette, data));
  try {
    inflateThrough(compressed, rows.take, createWorkBudget("png", bytes.length, maxPlainBytes(header), 1));
  } catch (error) {
    throw error instanceof EmbedError ? error : corruptImage("png", "the compressed data is broken", error);
  }
  if (!rows.isComplete())
    throw corruptImage("png", "truncated: the compressed data ends before the last row");
  return { width: header.width, height: header.height, data };
}

/** Cuts what is inflated into rows, unfilters them and hands each on; anything past the last row is an error. */
function createRowReader(
  header: PngHeader,
  lanes: PngLanes,
  putRow: PutRow,
): { take: TakeInflated; isComplete(): boolean } {
  const { width, height } = header;
  const passes = (header.interlaced ? adam7Passes : wholePass).filter(
    ({ x0, y0 }) => x0 < width && y0 < height,
  );
  const { pixelBytes, kept } = lanes;
  let passIndex = -1;
  let pass = passes[0]!;
  let y = 0;
  let columns = 0;
  /** Pixels of a row; or bytes, where several pixels share one. */
  let units = 0;
  let done = 0;
  let row = new Uint8Array(0);
  let above = row;
  let filter = -1;

  const startNextPass = () => {
    const next = passes[++passIndex];
    if (!next) return;
    pass = next;
    y = pass.y0;
    columns = Math.ceil((width - pass.x0) / pass.dx);
    units = Math.ceil(plainRowBytes(header, columns) / pixelBytes);
    row = new Uint8Array(units * kept);
    above = new Uint8Array(units * kept);
  };
  startNextPass();

  const take: TakeInflated = (bytes, start, end) => {
    let position = start;
    while (position < end) {
      if (passIndex === passes.length) {
        throw corruptImage("png", `the compressed data goes on after the last of ${height} rows`);
      }
      if (filter < 0) filter = bytes[position++]!;
      const until = Math.min(units, done + Math.trunc((end - position) / pixelBytes));
      unfilterPng(filter, bytes, position, lanes, row, above, done, until);
      position += (until - done) * pixelBytes;
      done = until;
      if (done < units) break;
      putRow(row, columns, y * width + pass.x0, pass.dx);
      const finished = row;
      row = above;
      above = finished;
      filter = -1;
      done = 0;
      y += pass.dy;
      if (y >= height) startNextPass();
    }
    return position;
  };
  return { take, isComplete: () => passIndex === passes.length };
}

/** Bytes of a row of `columns` pixels, without its filter. */
function plainRowBytes({ channels, bitDepth }: PngHeader, columns: number): number {
  return Math.ceil((columns * channels * bitDepth) / 8);
}

/** Bytes that the whole compressed data should give: at most this much of Adam7's many short rows. */
function maxPlainBytes(header: PngHeader): number {
  return 2 * header.height * (1 + plainRowBytes(header, header.width)) + 16;
}

/**
 * Alpha is dropped; of 16 bits Pillow takes the high byte, which comes first. Only grey of 16 bits needs both.
 */
function chooseLanes({ colourType, channels, bitDepth }: PngHeader): PngLanes {
  const sampleBytes = bitDepth >> 3;
  const pixelBytes = Math.max(1, channels * sampleBytes);
  if (channels >= 3) return { pixelBytes, kept: 3, stride: sampleBytes };
  return { pixelBytes, kept: colourType === pngColour.grey ? pixelBytes : 1, stride: 1 };
}

function choosePutRow(
  { colourType, bitDepth, channels }: PngHeader,
  palette: Uint8Array,
  data: Uint8Array,
): PutRow {
  if (colourType === pngColour.palette) {
    // Pillow's palettes hold 256 colours: those that PLTE does not set are black.
    const colours = new Uint8Array(768);
    colours.set(palette.subarray(0, 768));
    return (row, columns, target, step) => {
      for (let i = 0, to = target * 3; i < columns; i++, to += step * 3) {
        const from = readSample(row, 0, i, bitDepth) * 3;
        data[to] = colours[from]!;
        data[to + 1] = colours[from + 1]!;
        data[to + 2] = colours[from + 2]!;
      }
    };
  }
  if (channels >= 3) {
    return (row, columns, target, step) => {
      if (step === 1 && columns >= shortestSet) {
        data.set(row, target * 3);
        return;
      }
      for (let i = 0, from = 0, to = target * 3; i < columns; i++, from += 3, to += step * 3) {
        data[to] = row[from]!;
        data[to + 1] = row[from + 1]!;
        data[to + 2] = row[from + 2]!;
      }
    };
  }
  const readGrey = chooseReadGrey(colourType, bitDepth);
  return (row, columns, target, step) => {
    for (let i = 0, to = target * 3; i < columns; i++, to += step * 3) {
      const grey = readGrey(row, i);
      data[to] = grey;
      data[to + 1] = grey;
      data[to + 2] = grey;
    }
  };
}

function chooseReadGrey(colourType: number, bitDepth: number): (row: Uint8Array, index: number) => number {
  if (colourType === pngColour.greyAlpha) return (row, index) => row[index]!;
  if (bitDepth === 16) {
    // Pillow keeps 16-bit grey as it is and clips it at 255 in `convert`; with alpha it takes the high byte.
    return (row, index) => (row[2 * index] === 0 ? row[2 * index + 1]! : 255);
  }
  const scale = greyScale(bitDepth);
  return (row, index) => readSample(row, 0, index, bitDepth) * scale;
}
