import type { CountingCompression } from "./accepted-compression.ts";
import type { HeldBytes } from "./inflight-bytes.ts";
import { chargeForCall } from "./inflight-bytes-body.ts";
import { createMessageBuffer } from "./message-buffer.ts";
import { releaseMemory, releasePiece } from "./release-memory.ts";

/** How the messages of one body are read. */
export interface MessageReader {
  readonly check: (message: Uint8Array) => void;
  readonly compression: CountingCompression | undefined;
  readonly readMaxBytes: number;
  readonly lengthHint: number;
  readonly held: HeldBytes;
  /** Messages follow each other, so that an earlier one need not be held for long. */
  readonly isClientStream: boolean;
  /** Called when the first byte of an envelope has come, and its last one. */
  readonly onMessageEdge: () => void;
}

/** A body that is one message. */
export async function* readWhole(
  body: AsyncIterable<Uint8Array>,
  reader: MessageReader,
): AsyncGenerator<Uint8Array> {
  const { check, readMaxBytes, lengthHint } = reader;
  const buffer = createMessageBuffer();
  let isTooLong = false;
  for await (const chunk of body) {
    isTooLong ||= buffer.length + chunk.length > readMaxBytes;
    if (isTooLong) {
      if (buffer.length > 0) yield buffer.take();
      yield chunk;
    } else {
      buffer.append(chunk, Math.min(lengthHint || readMaxBytes, readMaxBytes));
      releasePiece(chunk);
    }
  }
  if (isTooLong) return;
  const message = await unpack(buffer.take(), reader);
  check(message);
  yield message;
  // A body of known length has been copied by Connect when it asks on: one copy less of up to 100 MiB, at once.
  const isCopied = lengthHint > 0 && !reader.compression;
  if (isCopied) releaseMemory(message);
}

/** Counts what it unpacks while it does, and then neither counts nor keeps what it was unpacked from. */
async function unpack(packed: Uint8Array, { compression, readMaxBytes, held }: MessageReader) {
  if (!compression) return packed;
  const message = await compression.decompress(packed, readMaxBytes, (bytes) => chargeForCall(held, bytes));
  held.refund(packed.length);
  releaseMemory(packed);
  return message;
}

const headBytes = 5;
const compressedFlag = 0x01;

/**
 * A body of envelopes, each as soon as it is complete: one byte of flags, four of length, the message.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export async function* readEnvelopes(
  body: AsyncIterable<Uint8Array>,
  skippedFlag: number,
  reader: MessageReader,
): AsyncGenerator<Uint8Array> {
  const buffer = createMessageBuffer();
  let isTooLong = false;
  for await (const chunk of body) {
    let rest = chunk;
    while (rest.length > 0 && !isTooLong) {
      const wanted = buffer.length < headBytes ? headBytes : headBytes + messageLength(buffer.bytes());
      const piece = rest.subarray(0, wanted - buffer.length);
      if (buffer.length === 0) reader.onMessageEdge();
      buffer.append(piece, wanted);
      rest = rest.subarray(piece.length);
      if (buffer.length < headBytes) continue;
      const length = messageLength(buffer.bytes());
      if (length > reader.readMaxBytes) {
        isTooLong = true;
        yield buffer.take();
      } else if (buffer.length === headBytes + length) {
        reader.onMessageEdge();
        yield* readEnvelope(buffer.take(), skippedFlag, reader);
      }
    }
    if (isTooLong) yield rest;
    else releasePiece(chunk);
  }
  // What is incomplete, Connect refuses.
  if (buffer.length > 0) yield buffer.take();
}

/** One complete envelope, its message checked and no longer compressed. */
async function* readEnvelope(
  envelope: Uint8Array,
  skippedFlag: number,
  reader: MessageReader,
): AsyncGenerator<Uint8Array> {
  const { check, compression } = reader;
  const flags = envelope[0] ?? 0;
  const isCompressed = (flags & compressedFlag) !== 0;
  const isSkipped = (flags & skippedFlag) !== 0;
  if (isSkipped || (isCompressed && !compression)) {
    yield envelope;
    return;
  }
  const packed = envelope.subarray(headBytes);
  if (!isCompressed) {
    check(packed);
    yield* handOver([envelope], reader);
    return;
  }
  const message = await unpack(packed, reader);
  check(message);
  const head = new Uint8Array(headBytes);
  head[0] = flags ^ compressedFlag;
  new DataView(head.buffer).setUint32(1, message.length);
  // What is empty Connect would look at once more with the next envelope.
  yield* handOver(message.length > 0 ? [head, message] : [head], reader);
}

/** Hands one message on; when the next one is asked for, a stream's service works on this one only if it says so. */
function* handOver(pieces: readonly Uint8Array[], { held, isClientStream }: MessageReader) {
  if (isClientStream) held.handOver(pieces.reduce((sum, piece) => sum + piece.length, 0));
  yield* pieces;
  // Connect has copied them when it asks on.
  for (const piece of pieces) releaseMemory(piece);
  if (isClientStream) held.takeBack();
}

function messageLength(envelope: Uint8Array): number {
  return new DataView(envelope.buffer, envelope.byteOffset).getUint32(1);
}
