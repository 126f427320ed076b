import { EmbedError } from "../errors.ts";
import { toConnectError } from "../service/to-connect-error.ts";
import type { HttpLimits } from "./http-limits.ts";
import { createInflightBytes, type HeldBytes } from "./inflight-bytes.ts";

type InflightLimits = Pick<HttpLimits, "inflightMaxBytes" | "smallInflightMaxBytes" | "smallRequestMaxBytes">;

/**
 * Opens the account of one call. Calls whose messages are small have a bound of their own, so that health
 * checks and questions are answered while pictures fill theirs.
 */
export function createHeldBytesOf(limits: InflightLimits): (readMaxBytes: number) => HeldBytes {
  const pictures = createInflightBytes(limits.inflightMaxBytes, "--max-inflight-bytes");
  const small = createInflightBytes(limits.smallInflightMaxBytes, "smallInflightMaxBytes");
  return (readMaxBytes) => (readMaxBytes > limits.smallRequestMaxBytes ? pictures : small).open();
}

/**
 * The same body, which counts its bytes as they arrive. One whose announced length does not fit at this moment
 * is refused before it is read; more than a look it does not get, since an announcement costs its sender
 * nothing. Reading it throws the ConnectError of `OVERLOADED`, which every protocol then tells in its own way.
 * @param announced the length of the body, if it is known and will be held; else undefined
 */
export async function* chargeBody(
  body: AsyncIterable<Uint8Array>,
  held: HeldBytes,
  announced: number | undefined,
): AsyncGenerator<Uint8Array> {
  if (announced !== undefined) {
    chargeForCall(held, announced);
    held.refund(announced);
  }
  for await (const chunk of body) {
    chargeForCall(held, chunk.length);
    yield chunk;
  }
}

/** @throws ConnectError RESOURCE_EXHAUSTED with reason `OVERLOADED` and when to come back */
export function chargeForCall(held: HeldBytes, bytes: number): void {
  try {
    held.charge(bytes);
  } catch (error) {
    throw toConnectError(EmbedError.from(error));
  }
}

/** What a protocol may put around one message. */
const framingMaxBytes = 1024;

/**
 * The length that a request announces. A longer body than may be held is refused while it is read, so its
 * length is not believed.
 */
export function announcedBytes(contentLength: string | null, readMaxBytes: number): number | undefined {
  if (contentLength === null || !/^\d+$/.test(contentLength)) return undefined;
  const bytes = Number(contentLength);
  return bytes <= readMaxBytes + framingMaxBytes ? bytes : undefined;
}
