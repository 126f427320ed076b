import { EmbedError } from "../errors.ts";
import { type PngHeader, pngColour, pngSignatureBytes, readPngChunk, readPngHeader } from "./header-png.ts";
import { corruptImage } from "./image-errors.ts";
import { inflateBounded, type TakeInflated } from "./inflate-bounded.ts";
import { greyScale, readSample } from "./pack-samples.ts";
import type { Pixels } from "./pixels.ts";
import { unfilterPngRow } from "./png-unfilter.ts";

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

/** Writes the unfiltered bytes of one row of a pass into the picture. */
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
  const rows = createRowReader(header, choosePutRow(header, palette, data));
  try {
    inflateBounded(compressed, rows.take);
  } catch (error) {
    throw error instanceof EmbedError ? error : corruptImage("png", "the compressed data is broken", error);
  }
  if (!rows.isComplete())
    throw corruptImage("png", "truncated: the compressed data ends before the last row");
  return { width: header.width, height: header.height, data };
}

/** Walks the chunks up to IEND (PNG specification, 5.6). */
function readPngBody(bytes: Uint8Array, header: PngHeader): { palette: Uint8Array; compressed: Uint8Array } {
  let palette: Uint8Array | undefined;
  const pieces: Uint8Array[] = [];
  for (let offset = pngSignatureBytes; ; ) {
    const { type, data } = readPngChunk(bytes, offset);
    if (type === "IEND") break;
    if (type === "IDAT") pieces.push(data);
    if (type === "PLTE") palette = data;
    offset += 12 + data.length;
  }
  if (pieces.length === 0) throw corruptImage("png", "expected a chunk IDAT, got none");
  if (header.colourType === pngColour.palette && !palette) {
    throw corruptImage("png", "expected a chunk PLTE, got none");
  }
  return { palette: palette ?? new Uint8Array(0), compressed: joinPieces(pieces) };
}

function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

/** Cuts what is inflated into rows, unfilters each and hands it on; anything past the last row is an error. */
function createRowReader(header: PngHeader, putRow: PutRow): { take: TakeInflated; isComplete(): boolean } {
  const { width, height, channels, bitDepth } = header;
  const passes = (header.interlaced ? adam7Passes : wholePass).filter(
    ({ x0, y0 }) => x0 < width && y0 < height,
  );
  const pixelBytes = Math.max(1, (channels * bitDepth) >> 3);
  let passIndex = 0;
  let pass = passes[0]!;
  let y = pass.y0;
  let columns = 0;
  let row: Uint8Array;
  let above: Uint8Array;
  let filter = -1;
  let filled = 0;
  let complete = false;

  const startPass = () => {
    columns = Math.ceil((width - pass.x0) / pass.dx);
    const rowBytes = Math.ceil((columns * channels * bitDepth) / 8);
    row = new Uint8Array(rowBytes);
    above = new Uint8Array(rowBytes);
  };
  startPass();

  const take: TakeInflated = (bytes) => {
    for (let offset = 0; offset < bytes.length; ) {
      if (complete) throw corruptImage("png", `the compressed data goes on after the last of ${height} rows`);
      if (filter < 0) {
        filter = bytes[offset++]!;
        continue;
      }
      const part = bytes.subarray(offset, offset + row.length - filled);
      row.set(part, filled);
      filled += part.length;
      offset += part.length;
      if (filled < row.length) break;
      unfilterPngRow(filter, row, above, pixelBytes);
      putRow(row, columns, y * width + pass.x0, pass.dx);
      [row, above] = [above, row];
      filter = -1;
      filled = 0;
      y += pass.dy;
      if (y < height) continue;
      const next = passes[++passIndex];
      if (!next) {
        complete = true;
        continue;
      }
      pass = next;
      y = pass.y0;
      startPass();
    }
    return true;
  };
  return { take, isComplete: () => complete };
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
        const from = readSample(row, i, bitDepth) * 3;
        data[to] = colours[from]!;
        data[to + 1] = colours[from + 1]!;
        data[to + 2] = colours[from + 2]!;
      }
    };
  }
  if (channels >= 3) {
    // Of 16 bits Pillow takes the high byte, which comes first.
    const sampleBytes = bitDepth >> 3;
    const pixelBytes = channels * sampleBytes;
    return (row, columns, target, step) => {
      for (let i = 0, from = 0, to = target * 3; i < columns; i++, from += pixelBytes, to += step * 3) {
        data[to] = row[from]!;
        data[to + 1] = row[from + sampleBytes]!;
        data[to + 2] = row[from + 2 * sampleBytes]!;
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
  if (colourType === pngColour.greyAlpha) {
    const pixelBytes = bitDepth >> 2;
    return (row, index) => row[index * pixelBytes]!;
  }
  if (bitDepth === 16) {
    // Pillow keeps 16-bit grey as it is and clips it at 255 in `convert`; with alpha it takes the high byte.
    return (row, index) => (row[2 * index] === 0 ? row[2 * index + 1]! : 255);
  }
  const scale = greyScale(bitDepth);
  return (row, index) => readSample(row, index, bitDepth) * scale;
}
