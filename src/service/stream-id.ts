import { EmbedError } from "../errors.ts";
import { toConnectError } from "./to-connect-error.ts";

/**
 * Longest `EmbedStreamRequest.id` in bytes of UTF-8. A result repeats it, so that a client that does not read
 * would have the server keep it; a URL or a path, which many take as an id, fits.
 */
const streamIdMaxBytes = 1024;

/**
 * The same requests, until one has an id that is too long: its result could not carry it, so its call fails.
 * @throws ConnectError INVALID_ARGUMENT with reason `REQUEST_INVALID`
 */
export async function* checkStreamIds<Request extends { readonly id: string }>(
  requests: AsyncIterable<Request>,
): AsyncGenerator<Request> {
  for await (const request of requests) {
    const bytes = utf8Length(request.id);
    if (bytes > streamIdMaxBytes) {
      const message = `expected an id of at most ${streamIdMaxBytes} bytes of UTF-8, got ${bytes}`;
      throw toConnectError(new EmbedError("REQUEST_INVALID", message));
    }
    yield request;
  }
}

/** Without the bytes themselves, which may be a hundred million. A half of a surrogate pair counts two. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const isHalf = unit >= 0xd800 && unit < 0xe000;
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800 || isHalf) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}
