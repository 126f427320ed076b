import { EmbedError } from "../errors.ts";
import type { RgbaImage } from "../image/wasm-codec.ts";
import { writeBmp } from "../image/write-bmp.ts";

/**
 * A picture as a program has it: the bytes of a file (JPEG, PNG, WebP, GIF, BMP, TIFF), a `Blob` or `File` of them, or
 * raw pixels such as a canvas's `ImageData`.
 */
export type ImageInput = Uint8Array | ArrayBuffer | Blob | RgbaImage;

/** Whether a picture is raw pixels instead of a file. */
export const isRaw = (image: ImageInput): image is RgbaImage =>
  typeof image === "object" && image !== null && "width" in image && "height" in image && "data" in image;

/**
 * The encoded bytes of a picture, in memory of their own: the caller's stay its own when these are moved to a thread.
 * @throws EmbedError `REQUEST_INVALID` for what is no picture at all or has no such size, `SOURCE_EMPTY`,
 *   `SOURCE_UNREACHABLE` for a `Blob` that cannot be read
 */
export async function imageBytes(image: ImageInput): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = isRaw(image) ? writeBmp(checkRaw(image)) : await fileBytes(image);
  if (bytes.length === 0) throw new EmbedError("SOURCE_EMPTY", "expected a picture's bytes, got none");
  return bytes;
}

function checkRaw(image: RgbaImage): RgbaImage {
  const { data, width, height } = image;
  const isSized = Number.isSafeInteger(width) && Number.isSafeInteger(height) && width > 0 && height > 0;
  const isBytes = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (isSized && isBytes && data.length === width * height * 4) return image;
  throw new EmbedError(
    "REQUEST_INVALID",
    `expected raw pixels with 4 bytes (RGBA) for each of width x height, got ${width} x ${height} and ${isBytes ? `${data.length} bytes` : "data of another kind"}`,
  );
}

async function fileBytes(image: Exclude<ImageInput, RgbaImage>): Promise<Uint8Array<ArrayBuffer>> {
  if (isDetached(image)) {
    throw new EmbedError(
      "REQUEST_INVALID",
      "expected a picture's bytes, got those of a detached ArrayBuffer",
    );
  }
  if (ArrayBuffer.isView(image)) {
    return Uint8Array.from(new Uint8Array(image.buffer, image.byteOffset, image.byteLength));
  }
  if (image instanceof ArrayBuffer) return new Uint8Array(image.slice(0));
  if (!isBlob(image)) {
    throw new EmbedError(
      "REQUEST_INVALID",
      `expected a picture as Uint8Array, ArrayBuffer, Blob or ImageData, got ${describe(image)}`,
    );
  }
  try {
    return new Uint8Array(await image.arrayBuffer());
  } catch (cause) {
    throw new EmbedError("SOURCE_UNREACHABLE", "the Blob or File cannot be read any more", { cause });
  }
}

/** Whether it was moved to another thread: reading it would throw an error of the language. */
function isDetached(image: Exclude<ImageInput, RgbaImage>): boolean {
  const buffer: ArrayBufferLike | Blob = ArrayBuffer.isView(image) ? image.buffer : image;
  return buffer instanceof ArrayBuffer && buffer.detached;
}

/** Not by its class: tests, frames and libraries bring classes of their own. */
function isBlob(value: unknown): value is Blob {
  return typeof (value as Blob | undefined)?.arrayBuffer === "function";
}

function describe(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return value.constructor?.name ?? "an object";
}
