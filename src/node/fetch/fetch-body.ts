import type { Dispatcher } from "undici";
import { EmbedError } from "../../errors.ts";
import { unreachable } from "./fetch-failure.ts";

/** Bytes held for a body at first, then doubled as it grows: what it announces may be a lie. */
const firstCapacity = 2 ** 16;

/**
 * Reads the picture out of an answer, and no more of it than `maxBytes`, whatever the answer announces.
 * @param first the caller's URL, for messages
 * @returns bytes in a buffer of their own, so that they may be transferred to a worker
 * @throws EmbedError `SOURCE_UNREACHABLE` for any status but 200, `SOURCE_TOO_LARGE`, `SOURCE_EMPTY`
 */
export async function readBody(
  first: URL,
  { body, statusCode, headers }: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<Uint8Array> {
  if (statusCode !== 200) throw unreachable(first, `HTTP status ${statusCode}`, { httpStatus: statusCode });
  const encoding = singleHeader(headers["content-encoding"])?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity" && encoding !== "") {
    throw unreachable(first, "it sent a content-encoding although identity was asked for");
  }
  const announced = Number(singleHeader(headers["content-length"]) ?? 0);
  if (announced > maxBytes) throw tooLarge(first, maxBytes, `${announced} bytes announced`);
  // Copied as they come: a hostile host sends single bytes, and millions of small chunks would weigh far more.
  let bytes = new Uint8Array(firstCapacity);
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    const end = length + chunk.length;
    if (end > maxBytes) throw tooLarge(first, maxBytes, "more");
    if (end > bytes.length) {
      const capacity = Math.min(Math.max(end, bytes.length * 2), maxBytes);
      bytes = new Uint8Array(bytes.buffer.transfer(capacity));
    }
    bytes.set(chunk, length);
    length = end;
  }
  if (length === 0)
    throw new EmbedError("SOURCE_EMPTY", `expected a picture from ${first.host}, got an empty body`);
  return new Uint8Array(bytes.buffer.transfer(length));
}

/** A header that came twice counts with its first value. */
export function singleHeader(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function tooLarge(first: URL, maxBytes: number, got: string): EmbedError {
  return new EmbedError(
    "SOURCE_TOO_LARGE",
    `expected at most ${maxBytes} bytes (--max-image-bytes) from ${first.host}, got ${got}`,
  );
}
