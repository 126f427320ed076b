import {
  type JpegSegment,
  jpegMarker,
  readFrameHeader,
  readJpegSegment,
  skipEntropyCodedData,
} from "./header-jpeg.ts";
import { corruptImage } from "./image-errors.ts";
import { createBlockDecoder } from "./jpeg-block.ts";
import { buildHuffmanTable, type HuffmanTable, JpegBitReader } from "./jpeg-huffman.ts";
import { naturalOrder } from "./jpeg-zigzag.ts";

/** One component's quantised coefficients. */
export interface JpegComponent {
  readonly id: number;
  /** Sampling factors, 1 to 4. */
  readonly horizontal: number;
  readonly vertical: number;
  /** Samples that carry the picture, without padding. */
  readonly width: number;
  readonly height: number;
  /** Blocks in a row of `coefficients`, padding included. */
  readonly blocksAcross: number;
  /** (blocks down, blocks across, 64) int16, in natural order. */
  readonly coefficients: Int16Array;
  /** As in `BlockScan`. */
  readonly lastCoefficients: Uint8Array;
  /** 64 quantisation steps in natural order, as they stood when the component's first scan began. */
  quantisation: Uint16Array | undefined;
}

export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  readonly maxHorizontal: number;
  readonly maxVertical: number;
  readonly progressive: boolean;
  readonly components: readonly JpegComponent[];
  /** There is a JFIF segment, so three components are YCbCr. */
  readonly hasJfif: boolean;
  /** The transform of Adobe's APP14: 0 RGB or CMYK, 1 YCbCr, 2 YCCK; undefined without the segment. */
  readonly adobeTransform: number | undefined;
}

/** A Huffman table as DHT gives it; it is built for a scan that uses it, so tables that none uses cost nothing. */
interface HuffmanLengths {
  readonly counts: Uint8Array;
  readonly symbols: Uint8Array;
}

interface Tables {
  readonly dc: (HuffmanLengths | undefined)[];
  readonly ac: (HuffmanLengths | undefined)[];
  readonly quantisation: (Uint16Array | undefined)[];
  restartInterval: number;
}

/**
 * Reads all scans of a Huffman-coded JPEG, sequential or progressive (ITU-T T.81, annexes F and G). The header
 * has been read and capped before.
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function readJpegCoefficients(bytes: Uint8Array): JpegFrame {
  const tables: Tables = { dc: [], ac: [], quantisation: [], restartInterval: 0 };
  const quantisationIds: number[] = [];
  let frame: JpegFrame | undefined;
  let hasJfif = false;
  let adobeTransform: number | undefined;
  for (let offset = 2; ; ) {
    const segment = readJpegSegment(bytes, offset);
    const { marker, data } = segment;
    offset = segment.end;
    if (marker === jpegMarker.eoi) break;
    if (marker === jpegMarker.dht) readHuffmanTables(data, tables);
    else if (marker === jpegMarker.dqt) readQuantisation(data, tables);
    else if (marker === jpegMarker.dri) tables.restartInterval = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
    else if (marker === jpegMarker.app14 && data.length >= 12 && startsWith(data, "Adobe"))
      adobeTransform = data[11];
    else if (marker === jpegMarker.app0 && data.length >= 14 && startsWith(data, "JFIF\0")) hasJfif = true;
    else if (marker >= jpegMarker.sof0 && marker <= jpegMarker.sof2)
      frame = createFrame(segment, quantisationIds);
    else if (marker === jpegMarker.sos && frame) {
      readScan(bytes, segment, frame, tables, quantisationIds);
      offset = skipEntropyCodedData(bytes, offset);
    }
  }
  if (!frame) throw corruptImage("jpeg", "expected a frame header, got none");
  return { ...frame, hasJfif, adobeTransform };
}

function startsWith(data: Uint8Array, text: string): boolean {
  return String.fromCharCode(...data.subarray(0, text.length)) === text;
}

function readHuffmanTables(data: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset < data.length; ) {
    const target = data[offset]!;
    const counts = data.subarray(offset + 1, offset + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const symbols = data.subarray(offset + 17, offset + 17 + total);
    if (counts.length < 16 || symbols.length < total || (target & 0xef) > 3) {
      throw corruptImage("jpeg", "expected a Huffman table 0 to 3 that fits its segment");
    }
    if (target >> 4 === 0 && symbols.some((symbol) => symbol > 15)) {
      throw corruptImage("jpeg", "expected differences of at most 15 bits in a Huffman table for DC");
    }
    (target >> 4 === 0 ? tables.dc : tables.ac)[target & 3] = { counts, symbols };
    offset += 17 + total;
  }
}

function buildTable(lengths: HuffmanLengths | undefined): HuffmanTable | undefined {
  return lengths && buildHuffmanTable(lengths.counts, lengths.symbols);
}

function readQuantisation(data: Uint8Array, tables: Tables): void {
  for (let offset = 0; offset < data.length; ) {
    const target = data[offset++]!;
    const stepBytes = target >> 4 === 0 ? 1 : 2;
    if (offset + 64 * stepBytes > data.length || (target & 15) > 3) {
      throw corruptImage("jpeg", "expected a quantisation table 0 to 3 that fits its segment");
    }
    const steps = new Uint16Array(64);
    for (let i = 0; i < 64; i++, offset += stepBytes) {
      steps[naturalOrder[i]!] = stepBytes === 1 ? data[offset]! : (data[offset]! << 8) | data[offset + 1]!;
    }
    tables.quantisation[target & 15] = steps;
  }
}

function createFrame(segment: JpegSegment, quantisationIds: number[]): JpegFrame {
  const { width, height, sampling } = readFrameHeader(segment);
  const maxHorizontal = Math.max(...sampling.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...sampling.map(({ vertical }) => vertical));
  const components = sampling.map(({ horizontal, vertical }, i) => {
    quantisationIds.push(segment.data[8 + 3 * i]!);
    const blocksAcross = Math.ceil(width / (8 * maxHorizontal)) * horizontal;
    const blocksDown = Math.ceil(height / (8 * maxVertical)) * vertical;
    return {
      id: segment.data[6 + 3 * i]!,
      horizontal,
      vertical,
      width: Math.ceil((width * horizontal) / maxHorizontal),
      height: Math.ceil((height * vertical) / maxVertical),
      blocksAcross,
      coefficients: new Int16Array(blocksAcross * blocksDown * 64),
      lastCoefficients: new Uint8Array(blocksAcross * blocksDown),
      quantisation: undefined,
    };
  });
  const progressive = segment.marker === jpegMarker.sof2;
  return {
    width,
    height,
    maxHorizontal,
    maxVertical,
    progressive,
    components,
    hasJfif: false,
    adobeTransform: undefined,
  };
}

/** One scan (ITU-T T.81, B.2.3): which components, which coefficients of them, to which precision. */
function readScan(
  bytes: Uint8Array,
  { data, end }: JpegSegment,
  frame: JpegFrame,
  tables: Tables,
  quantisationIds: readonly number[],
): void {
  const count = data[0] ?? 0;
  if (count < 1 || count > 4 || data.length < 4 + 2 * count) {
    throw corruptImage(
      "jpeg",
      `expected a scan header of 1 to 4 components, got ${count} in ${data.length} bytes`,
    );
  }
  const [start, stop, approximation] = [data[1 + 2 * count]!, data[2 + 2 * count]!, data[3 + 2 * count]!];
  if (
    start > stop ||
    stop > 63 ||
    (frame.progressive && (count > 1 ? stop > 0 : (start === 0) !== (stop === 0)))
  ) {
    throw corruptImage(
      "jpeg",
      `expected a scan of coefficients 0 to 63, got ${start} to ${stop} of ${count} components`,
    );
  }
  const reader = new JpegBitReader(bytes, end);
  const parts = Array.from({ length: count }, (_, i) => {
    const id = data[1 + 2 * i]!;
    const index = frame.components.findIndex((component) => component.id === id);
    const component = frame.components[index];
    if (!component) throw corruptImage("jpeg", `the scan has component ${id}, the frame has not`);
    component.quantisation ??= tables.quantisation[quantisationIds[index]!];
    const dc = buildTable(tables.dc[data[2 + 2 * i]! >> 4]);
    const ac = buildTable(tables.ac[data[2 + 2 * i]! & 15]);
    const decode = createBlockDecoder(reader, component.coefficients, {
      dc,
      ac,
      start,
      stop: frame.progressive ? stop : 63,
      high: frame.progressive ? approximation >> 4 : 0,
      low: frame.progressive ? approximation & 15 : 0,
      progressive: frame.progressive,
      lastCoefficients: component.lastCoefficients,
    });
    return { component, ...decode };
  });

  let untilRestart = tables.restartInterval;
  /** Reads a restart that is due; returns whether there is data for the next unit. */
  const startUnit = (): boolean => {
    if (tables.restartInterval > 0 && untilRestart-- === 0) {
      reader.restart();
      for (const part of parts) part.reset();
      untilRestart = tables.restartInterval - 1;
    }
    return !reader.isPastEnd();
  };

  if (parts.length === 1) {
    // Alone, a component has no padding blocks (A.2.2).
    const { component, decodeBlock } = parts[0]!;
    const across = Math.ceil(component.width / 8);
    const down = Math.ceil(component.height / 8);
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < across; x++) {
        if (startUnit()) decodeBlock((y * component.blocksAcross + x) * 64);
      }
    }
    return;
  }
  const across = Math.ceil(frame.width / (8 * frame.maxHorizontal));
  const down = Math.ceil(frame.height / (8 * frame.maxVertical));
  for (let unitY = 0; unitY < down; unitY++) {
    for (let unitX = 0; unitX < across; unitX++) {
      if (!startUnit()) continue;
      for (const { component, decodeBlock } of parts) {
        for (let v = 0; v < component.vertical; v++) {
          const row =
            (unitY * component.vertical + v) * component.blocksAcross + unitX * component.horizontal;
          for (let h = 0; h < component.horizontal; h++) decodeBlock((row + h) * 64);
        }
      }
    }
  }
}
