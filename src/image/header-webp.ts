import { assertReaches, readFourCc, viewBytes } from "./byte-view.ts";
import { corruptImage } from "./image-errors.ts";
import type { ImageHeader } from "./pixels.ts";

/** A chunk of the RIFF container; `data` is its payload, without padding. */
export interface WebpChunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** The chunk with its head and padding, as it lies in the file. */
  readonly whole: Uint8Array;
}

/** The picture to decode: a still one, or the first frame of an animation. */
export interface WebpFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly alpha: WebpChunk | undefined;
  /** `VP8 ` (lossy) or `VP8L` (lossless). */
  readonly image: WebpChunk;
}

/** The size is the canvas's. */
export interface WebpHeader extends ImageHeader {
  readonly format: "webp";
  readonly animated: boolean;
  readonly frame: WebpFrame;
}

const riffHeaderBytes = 12;
const animationFlag = 0x02;
const frameHeaderBytes = 16;
const usedTypes: ReadonlySet<string> = new Set(["ANMF", "ALPH", "VP8 ", "VP8L"]);

/**
 * Reads the container (RFC 9649, 2) and the first frame's own header, and checks that their sizes agree.
 * @throws EmbedError `IMAGE_CORRUPT`
 */
export function readWebpHeader(bytes: Uint8Array): WebpHeader {
  assertReaches(bytes, riffHeaderBytes, "webp", "the RIFF header");
  const riffEnd = 8 + viewBytes(bytes).getUint32(4, true);
  assertReaches(bytes, riffEnd, "webp", "the RIFF container");
  const chunks = readChunks(bytes.subarray(riffHeaderBytes, Math.max(riffEnd, riffHeaderBytes)));
  const first = firstOf(chunks);
  if (first?.type !== "VP8X") {
    const frame = findImage(new Map(first && [[first.type, first]]), undefined);
    return { format: "webp", width: frame.width, height: frame.height, animated: false, frame };
  }

  if (first.data.length < 10)
    throw corruptImage("webp", `expected VP8X of 10 bytes, got ${first.data.length}`);
  const width = 1 + readUint24(first.data, 4);
  const height = 1 + readUint24(first.data, 7);
  const animated = (first.data[0]! & animationFlag) !== 0;
  const frame = animated ? readFirstAnimationFrame(chunks) : findImage(chunks, undefined);
  const fits = animated
    ? frame.x + frame.width <= width && frame.y + frame.height <= height
    : frame.width === width && frame.height === height;
  if (!fits) {
    const at = animated ? ` at ${frame.x}, ${frame.y}` : "";
    throw corruptImage(
      "webp",
      `the canvas is ${width} x ${height}, its ${animated ? "first frame" : "picture"} ${frame.width} x ${frame.height}${at}`,
    );
  }
  return { format: "webp", width, height, animated, frame };
}

/** The first chunk whatever it is, and the first of each type that is used: there may be millions of others. */
type WebpChunks = ReadonlyMap<string, WebpChunk>;

function readChunks(bytes: Uint8Array): WebpChunks {
  const view = viewBytes(bytes);
  const chunks = new Map<string, WebpChunk>();
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    const type = readFourCc(bytes, offset);
    const end = offset + 8 + view.getUint32(offset + 4, true);
    if (bytes.length < end) assertReaches(bytes, end, "webp", `chunk ${type}`);
    const paddedEnd = end + (end % 2);
    if ((chunks.size === 0 || usedTypes.has(type)) && !chunks.has(type)) {
      chunks.set(type, {
        type,
        data: bytes.subarray(offset + 8, end),
        whole: bytes.subarray(offset, paddedEnd),
      });
    }
    offset = paddedEnd;
  }
  return chunks;
}

function firstOf(chunks: WebpChunks): WebpChunk | undefined {
  return chunks.values().next().value;
}

/** ANMF (RFC 9649, 2.7.1.1): its place, its size, and chunks of its own. */
function readFirstAnimationFrame(chunks: WebpChunks): WebpFrame {
  const data = chunks.get("ANMF")?.data;
  if (!data) throw corruptImage("webp", "expected an animation frame, got none");
  assertReaches(data, frameHeaderBytes, "webp", "the first animation frame's header");
  const place = { x: 2 * readUint24(data, 0), y: 2 * readUint24(data, 3) };
  const width = 1 + readUint24(data, 6);
  const height = 1 + readUint24(data, 9);
  const frame = findImage(readChunks(data.subarray(frameHeaderBytes)), place);
  if (frame.width !== width || frame.height !== height) {
    throw corruptImage(
      "webp",
      `the first frame is ${width} x ${height}, its picture ${frame.width} x ${frame.height}`,
    );
  }
  return frame;
}

function findImage(chunks: WebpChunks, place: { x: number; y: number } | undefined): WebpFrame {
  const image = [...chunks.values()].find(({ type }) => type === "VP8 " || type === "VP8L");
  if (!image)
    throw corruptImage("webp", `expected a chunk VP8 or VP8L, got ${firstOf(chunks)?.type.trim() ?? "none"}`);
  const alpha = image.type === "VP8 " ? chunks.get("ALPH") : undefined;
  return { x: place?.x ?? 0, y: place?.y ?? 0, ...readImageSize(image), alpha, image };
}

function readImageSize({ type, data }: WebpChunk): { width: number; height: number } {
  const view = viewBytes(data);
  if (type === "VP8L") {
    // RFC 9649, 3.4: a signature byte, then 14 bits each of width - 1 and height - 1.
    assertReaches(data, 5, "webp", "the VP8L header");
    if (data[0] !== 0x2f)
      throw corruptImage("webp", `expected the VP8L signature 2f, got ${data[0]!.toString(16)}`);
    const bits = view.getUint32(1, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >> 14) & 0x3fff) };
  }
  // RFC 6386, 9.1: a frame tag of three bytes, a start code, then 14 bits each beside two of scale.
  assertReaches(data, 10, "webp", "the VP8 header");
  if ((data[0]! & 1) !== 0 || data[3] !== 0x9d || data[4] !== 0x01 || data[5] !== 0x2a) {
    throw corruptImage("webp", "expected a VP8 key frame with the start code 9d 01 2a");
  }
  const width = view.getUint16(6, true) & 0x3fff;
  const height = view.getUint16(8, true) & 0x3fff;
  if (width === 0 || height === 0) {
    throw corruptImage("webp", `expected a width and a height of at least 1, got ${width} x ${height}`);
  }
  return { width, height };
}

function readUint24(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16);
}
