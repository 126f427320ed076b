import { assertReaches, viewBytes } from "./byte-view.ts";
import { corruptImage, unsupportedVariant } from "./image-errors.ts";
import type { ImageHeader } from "./pixels.ts";

/** Marker codes of ITU-T T.81, table B.1: the byte after 0xFF. */
export const jpegMarker = {
  sof0: 0xc0,
  sof1: 0xc1,
  sof2: 0xc2,
  dht: 0xc4,
  rst0: 0xd0,
  rst7: 0xd7,
  soi: 0xd8,
  eoi: 0xd9,
  sos: 0xda,
  dqt: 0xdb,
  dri: 0xdd,
  app0: 0xe0,
  app14: 0xee,
  tem: 0x01,
} as const;

export interface JpegHeader extends ImageHeader {
  readonly format: "jpeg";
  /** 1 grey, 3 colour, 4 CMYK or YCCK. */
  readonly components: 1 | 3 | 4;
  /** Sampling factors of each component. */
  readonly sampling: readonly { readonly horizontal: number; readonly vertical: number }[];
}

/** One marker segment; `data` is what follows its length. Markers without a length have no data. */
export interface JpegSegment {
  readonly marker: number;
  readonly data: Uint8Array;
  /** Where the next segment, or a scan's entropy-coded data, begins. */
  readonly end: number;
}

/** Kinds of frame that are recognised and refused, by their marker. */
const refusedFrames: ReadonlyMap<number, string> = new Map([
  [0xc3, "lossless"],
  [0xc5, "differential sequential"],
  [0xc6, "differential progressive"],
  [0xc7, "differential lossless"],
  [0xc9, "arithmetic coding"],
  [0xca, "progressive with arithmetic coding"],
  [0xcb, "lossless with arithmetic coding"],
  [0xcd, "differential with arithmetic coding"],
  [0xce, "differential progressive with arithmetic coding"],
  [0xcf, "differential lossless with arithmetic coding"],
  [0xf7, "JPEG-LS"],
]);

/** Usual encoders write 1 to 12 scans. */
const maxScans = 100;

/**
 * Every scan makes the decoder walk all blocks of its components, however few bytes it has, so a file of some hundred
 * bytes could hold a worker for minutes. Usual encoders walk a component up to 8 times; small pictures may have more.
 */
const maxWalks = 12;
const freeBlocks = 2 ** 22;

/**
 * Reads the frame header and walks the file to its end marker: a picture without one is cut short, and Pillow
 * refuses it.
 * @throws EmbedError `IMAGE_CORRUPT`, or `IMAGE_UNSUPPORTED` for 12-bit, lossless and arithmetic-coded pictures
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  let header: JpegHeader | undefined;
  let scans = 0;
  let walkedBlocks = 0;
  for (let offset = 2; ; ) {
    const segment = readJpegSegment(bytes, offset);
    const { marker } = segment;
    offset = segment.end;
    if (marker === jpegMarker.eoi) break;
    if (marker === jpegMarker.soi) throw corruptImage("jpeg", "expected one start of image, got a second");
    const refused = refusedFrames.get(marker);
    if (refused) throw unsupportedVariant("jpeg", refused);
    if (marker >= jpegMarker.sof0 && marker <= jpegMarker.sof2) {
      if (header) throw corruptImage("jpeg", "expected one frame header, got a second");
      header = readFrameHeader(segment);
    }
    if (marker === jpegMarker.sos) {
      if (!header) throw corruptImage("jpeg", "expected a frame header before the first scan, got none");
      if (++scans > maxScans) throw corruptImage("jpeg", `expected at most ${maxScans} scans, got more`);
      walkedBlocks += countBlocks(header, segment.data[0] ?? 0);
      const most = maxWalks * countBlocks(header, header.components) + freeBlocks;
      if (walkedBlocks > most) {
        throw unsupportedVariant("jpeg", `scans that walk more than ${most} blocks of 8 x 8 samples`);
      }
      offset = skipEntropyCodedData(bytes, offset);
    }
  }
  if (!header || scans === 0) {
    throw corruptImage(
      "jpeg",
      `expected a frame header and a scan, got ${header ? "no scan" : "no frame header"}`,
    );
  }
  return header;
}

/** Blocks of `components` components; an estimate, as if each had the picture's own size. */
function countBlocks({ width, height }: JpegHeader, components: number): number {
  return components * Math.ceil(width / 8) * Math.ceil(height / 8);
}

/**
 * The marker segment at or after `offset`; bytes that belong to none are skipped, as libjpeg skips them.
 * @throws EmbedError `IMAGE_CORRUPT` if the file ends before the segment does
 */
export function readJpegSegment(bytes: Uint8Array, offset: number): JpegSegment {
  let position = bytes[offset] === 0xff ? offset : bytes.indexOf(0xff, offset);
  // Any number of 0xFF may stand before a marker; 0xFF00 is none.
  while (position >= 0 && (bytes[position + 1] === 0xff || bytes[position + 1] === 0)) {
    position = bytes[position + 1] === 0xff ? position + 1 : bytes.indexOf(0xff, position + 1);
  }
  if (position < 0 || position + 1 >= bytes.length) {
    throw corruptImage("jpeg", "truncated: the file ends without its end marker");
  }
  const marker = bytes[position + 1]!;
  const start = position + 2;
  if (hasNoData(marker)) return { marker, data: bytes.subarray(start, start), end: start };
  assertReaches(bytes, start + 2, "jpeg", "a marker segment's length");
  const length = (bytes[start]! << 8) | bytes[start + 1]!;
  if (length < 2) throw corruptImage("jpeg", `expected a marker segment of at least 2 bytes, got ${length}`);
  // A file may have millions of segments; the name is made only where it is needed.
  if (bytes.length < start + length) {
    assertReaches(bytes, start + length, "jpeg", `marker segment ${marker.toString(16)}`);
  }
  return { marker, data: bytes.subarray(start + 2, start + length), end: start + length };
}

function hasNoData(marker: number): boolean {
  return (marker >= jpegMarker.rst0 && marker <= jpegMarker.eoi) || marker === jpegMarker.tem;
}

/** Where the entropy-coded data that begins at `offset` gives way to a marker that is no restart. */
export function skipEntropyCodedData(bytes: Uint8Array, offset: number): number {
  let position = bytes.indexOf(0xff, offset);
  while (position >= 0) {
    const next = bytes[position + 1] ?? 0xff;
    const isMarker = next !== 0 && next !== 0xff && !(next >= jpegMarker.rst0 && next <= jpegMarker.rst7);
    if (isMarker) return position;
    position = bytes.indexOf(0xff, position + 1);
  }
  return bytes.length;
}

/** SOF (ITU-T T.81, B.2.2). */
export function readFrameHeader({ data }: JpegSegment): JpegHeader {
  if (data.length < 6)
    throw corruptImage("jpeg", `expected a frame header of at least 6 bytes, got ${data.length}`);
  const view = viewBytes(data);
  const precision = view.getUint8(0);
  const height = view.getUint16(1);
  const width = view.getUint16(3);
  const components = view.getUint8(5);
  if (precision !== 8) throw unsupportedVariant("jpeg", `${precision} bits a sample`);
  // A height of 0 announces one after the first scan (DNL); neither libjpeg nor Pillow takes that.
  if (width === 0 || height === 0) {
    throw corruptImage("jpeg", `expected a width and a height of at least 1, got ${width} x ${height}`);
  }
  if (components !== 1 && components !== 3 && components !== 4) {
    throw unsupportedVariant("jpeg", `${components} components`);
  }
  if (data.length !== 6 + 3 * components) {
    throw corruptImage("jpeg", `expected a frame header of ${6 + 3 * components} bytes, got ${data.length}`);
  }
  const sampling = Array.from({ length: components }, (_, i) => {
    const factors = view.getUint8(7 + 3 * i);
    return { horizontal: factors >> 4, vertical: factors & 15 };
  });
  for (const { horizontal, vertical } of sampling) {
    if (horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4) {
      throw corruptImage("jpeg", `expected sampling factors of 1 to 4, got ${horizontal} x ${vertical}`);
    }
  }
  return { format: "jpeg", width, height, components, sampling };
}
