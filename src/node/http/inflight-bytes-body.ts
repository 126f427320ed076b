import { EmbedError } from "../../errors.ts";
import { toConnectError } from "../../service/to-connect-error.ts";
import { type HttpLimits, tinyRequestMaxBytes } from "./http-limits.ts";
import { createInflightBytes, type HeldBytes } from "./inflight-bytes.ts";

type InflightLimits = Pick<HttpLimits, "inflightMaxBytes" | "smallInflightMaxBytes" | "smallRequestMaxBytes">;

/** The account of one call. */
export interface CallAccount {
  readonly held: HeldBytes;
  /** Its bytes count until its service has its message, and not until its answer was sent. */
  readonly endsWithBody: boolean;
}

/**
 * Opens the account of one call. Calls whose messages are small have a bound of their own, so that they are
 * answered while pictures fill theirs. Those whose messages are tiny, health checks among them, have none: the
 * bounds of connections and streams are bound enough, and nobody can close them for all others.
 */
export function createAccounts(limits: InflightLimits): (readMaxBytes: number) => CallAccount {
  const pictures = createInflightBytes(limits.inflightMaxBytes, "requests at once (--max-inflight-bytes)");
  const small = createInflightBytes(limits.smallInflightMaxBytes, "small requests at once");
  const tiny = createInflightBytes(Number.POSITIVE_INFINITY, "tiny requests at once");
  return (readMaxBytes) => {
    if (readMaxBytes <= tinyRequestMaxBytes) return { held: tiny.open(), endsWithBody: true };
    if (readMaxBytes <= limits.smallRequestMaxBytes) return { held: small.open(), endsWithBody: true };
    return { held: pictures.open(), endsWithBody: false };
  };
}

/**
 * The same body, which gives its bytes back when its last message was taken: a call that lasts, as
 * `Health/Watch` does, would hold them for as long.
 */
export async function* releaseAfterBody(
  body: AsyncIterable<Uint8Array>,
  { held, endsWithBody }: CallAccount,
): AsyncGenerator<Uint8Array> {
  yield* body;
  if (endsWithBody) held.release();
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
