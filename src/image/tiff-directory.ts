import { assertReaches, viewBytes } from "./byte-view.ts";
import { corruptImage } from "./image-errors.ts";

/** The tags of TIFF 6.0 that decoding needs. */
export const tiffTag = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  orientation: 274,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripByteCounts: 279,
  planarConfiguration: 284,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileByteCounts: 325,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

const tagNames: ReadonlyMap<number, string> = new Map(
  Object.entries(tiffTag).map(([name, tag]) => [tag, name]),
);

/** The unsigned values of one tag; they are read from the file when asked for, never copied. */
export interface TiffValues {
  readonly count: number;
  /** Index from 0; 0 past the end. */
  at(index: number): number;
}

export interface TiffDirectory {
  readonly tags: ReadonlyMap<number, TiffValues>;
  /** The first value of a tag, or `absent` without the tag. */
  first(tag: number, absent: number): number;
}

/** BYTE, SHORT and LONG (TIFF 6.0, 2): all that the tags above may have. */
const typeBytes: ReadonlyMap<number, 1 | 2 | 4> = new Map([
  [1, 1],
  [3, 2],
  [4, 4],
]);

/**
 * Reads the first image file directory (TIFF 6.0, section 2). Further ones, the other pages, are not looked at.
 * @throws EmbedError `IMAGE_CORRUPT` for a directory or values that lie outside the file
 */
export function readTiffDirectory(bytes: Uint8Array): TiffDirectory {
  assertReaches(bytes, 8, "tiff", "the header");
  const view = viewBytes(bytes);
  const littleEndian = bytes[0] === 0x49;
  const start = view.getUint32(4, littleEndian);
  assertReaches(bytes, start + 2, "tiff", "the directory's length");
  const entries = view.getUint16(start, littleEndian);
  assertReaches(bytes, start + 2 + entries * 12, "tiff", "the directory");

  const tags = new Map<number, TiffValues>();
  for (let entry = start + 2; entry < start + 2 + entries * 12; entry += 12) {
    const tag = view.getUint16(entry, littleEndian);
    const name = tagNames.get(tag);
    if (!name || tags.has(tag)) continue;
    const type = view.getUint16(entry + 2, littleEndian);
    const valueBytes = typeBytes.get(type);
    if (!valueBytes)
      throw corruptImage("tiff", `expected tag ${name} as BYTE, SHORT or LONG, got type ${type}`);
    const count = view.getUint32(entry + 4, littleEndian);
    const offset = count * valueBytes <= 4 ? entry + 8 : view.getUint32(entry + 8, littleEndian);
    assertReaches(bytes, offset + count * valueBytes, "tiff", `the values of tag ${name}`);
    tags.set(tag, {
      count,
      at: (index) => {
        if (index >= count) return 0;
        const position = offset + index * valueBytes;
        if (valueBytes === 1) return view.getUint8(position);
        return valueBytes === 2
          ? view.getUint16(position, littleEndian)
          : view.getUint32(position, littleEndian);
      },
    });
  }
  return { tags, first: (tag, absent) => tags.get(tag)?.at(0) ?? absent };
}
