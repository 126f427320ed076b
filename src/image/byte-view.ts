import { corruptImage } from "./image-errors.ts";
import type { ImageFormat } from "./pixels.ts";

/** A view on exactly the given bytes, wherever they lie in their buffer. */
export function viewBytes(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Asserts that `bytes` reaches up to `end`.
 * @throws EmbedError `IMAGE_CORRUPT`, naming `what` would have been there
 */
export function assertReaches(bytes: Uint8Array, end: number, format: ImageFormat, what: string): void {
  if (bytes.length < end) {
    throw corruptImage(
      format,
      `truncated: ${what} should end at byte ${end}, the file ends at ${bytes.length}`,
    );
  }
}

/** Four bytes as Latin-1 text, with anything unprintable as `?`: a chunk's name, fit for a message. */
export function readFourCc(bytes: Uint8Array, offset: number): string {
  // One call: a file may have millions of chunks.
  return String.fromCharCode(
    printable(bytes[offset]),
    printable(bytes[offset + 1]),
    printable(bytes[offset + 2]),
    printable(bytes[offset + 3]),
  );
}

function printable(code = 0): number {
  return code >= 0x20 && code < 0x7f ? code : 0x3f;
}
