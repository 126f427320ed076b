import { readTiffHeader, type TiffHeader, tiffPhotometric } from "./header-tiff.ts";
import { corruptImage } from "./image-errors.ts";
import { orientPixels } from "./orient-pixels.ts";
import type { Pixels } from "./pixels.ts";
import { tiffTag } from "./tiff-directory.ts";
import { readTiffLayout } from "./tiff-layout.ts";
import { createTiffSegmentReader } from "./tiff-segment.ts";

/** Writes `columns` pixels of a segment, from its byte `from` on, into the picture, from its byte `to` on. */
type PutRow = (segment: Uint8Array, from: number, columns: number, to: number) => void;

/**
 * Decodes the first page of a TIFF: 8-bit grey, palette and RGB, in strips, tiles or planes, uncompressed, LZW or
 * deflate. Alpha is dropped. The orientation tag is applied: Pillow applies TIFF's, and only TIFF's.
 * @returns (height, width, 3) uint8 RGB, as Pillow's `convert("RGB")`
 * @throws EmbedError `IMAGE_CORRUPT` or `IMAGE_UNSUPPORTED`
 */
export function decodeTiff(bytes: Uint8Array): Pixels {
  const header = readTiffHeader(bytes);
  const layout = readTiffLayout(header);
  const { storedWidth: width, storedHeight: height } = header;
  const data = new Uint8Array(width * height * 3);
  const samples = header.planar ? 1 : header.samplesPerPixel;
  // Planes past blue, or past the only colour, are alpha or unknown.
  const planes = header.planar && header.photometric === tiffPhotometric.rgb ? 3 : 1;
  const readSegment = createTiffSegmentReader(bytes, header, layout, samples, planes);

  for (let plane = 0; plane < planes; plane++) {
    const putRow = choosePutRow(header, planes > 1 ? plane : undefined, data);
    for (let down = 0; down < layout.down; down++) {
      const y0 = down * layout.height;
      const rows = Math.min(layout.height, height - y0);
      for (let across = 0; across < layout.across; across++) {
        const x0 = across * layout.width;
        const columns = Math.min(layout.width, width - x0);
        const index = (plane * layout.down + down) * layout.across + across;
        const segment = readSegment(index, rows);
        for (let row = 0; row < rows; row++) {
          putRow(segment, row * layout.width * samples, columns, ((y0 + row) * width + x0) * 3);
        }
      }
    }
  }
  return orientPixels({ width, height, data }, header.orientation);
}

function choosePutRow(header: TiffHeader, plane: number | undefined, data: Uint8Array): PutRow {
  if (plane !== undefined) {
    return (segment, from, columns, to) => {
      for (let i = 0; i < columns; i++) data[to + 3 * i + plane] = segment[from + i]!;
    };
  }
  const step = header.planar ? 1 : header.samplesPerPixel;
  if (header.photometric === tiffPhotometric.rgb) {
    return (segment, start, columns, to) => {
      for (let i = 0, from = start; i < columns; i++, from += step) {
        data[to + 3 * i] = segment[from]!;
        data[to + 3 * i + 1] = segment[from + 1]!;
        data[to + 3 * i + 2] = segment[from + 2]!;
      }
    };
  }
  const colours = readColours(header);
  return (segment, start, columns, to) => {
    for (let i = 0, from = start; i < columns; i++, from += step) {
      const colour = 3 * segment[from]!;
      data[to + 3 * i] = colours[colour]!;
      data[to + 3 * i + 1] = colours[colour + 1]!;
      data[to + 3 * i + 2] = colours[colour + 2]!;
    }
  };
}

/** The colour of each of the 256 values of a palette or grey sample. */
function readColours({ photometric, directory }: TiffHeader): Uint8Array {
  const colours = new Uint8Array(768);
  if (photometric !== tiffPhotometric.palette) {
    const inverted = photometric === tiffPhotometric.whiteIsZero ? 255 : 0;
    for (let i = 0; i < 768; i++) colours[i] = Math.trunc(i / 3) ^ inverted;
    return colours;
  }
  // All reds, then all greens, then all blues, 16 bits each (TIFF 6.0, section 5).
  const map = directory.tags.get(tiffTag.colourMap);
  if (!map || map.count < 768)
    throw corruptImage("tiff", `expected a colour map of 768 values, got ${map?.count ?? 0}`);
  for (let i = 0; i < 768; i++) colours[i] = map.at((i % 3) * 256 + Math.trunc(i / 3)) >> 8;
  return colours;
}
