import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { acceptedCompression } from "./accepted-compression.ts";
import { createInflightBytes } from "./inflight-bytes.ts";
import { type MessageReader, readEnvelopes, readWhole } from "./message-reader.ts";

const gzip = acceptedCompression.find(({ name }) => name === "gzip");
const message = Buffer.alloc(200_000, "portico");

function envelope(flags: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(5, flags);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

const plain = envelope(0, message);
const packed = envelope(1, gzipSync(message));

const reader = (changes: Partial<MessageReader>): MessageReader => ({
  check: () => undefined,
  compression: undefined,
  readMaxBytes: 2 ** 20,
  lengthHint: 0,
  held: createInflightBytes(2 ** 30, "request bodies").open(),
  isClientStream: false,
  onMessageEdge: () => undefined,
  ...changes,
});

/** The body in chunks that have a buffer each, as those of a socket. */
async function* inChunks(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 65_536) yield Uint8Array.from(body.subarray(at, at + 65_536));
}

/** Copies each piece before it asks on, as Connect does, and then looks how much of the piece is still held. */
async function copyAll(pieces: AsyncIterable<Uint8Array>) {
  const copies: Uint8Array[] = [];
  const taken: Uint8Array[] = [];
  for await (const piece of pieces) {
    copies.push(Uint8Array.from(piece));
    taken.push(piece);
  }
  return { bytes: Buffer.concat(copies), heldBytes: taken.reduce((sum, piece) => sum + piece.length, 0) };
}

describe("what Connect has copied when it asks on is held no longer", () => {
  test.each([
    ["an envelope", plain, reader({}), plain],
    ["an envelope that was compressed", packed, reader({ compression: gzip }), plain],
    [
      "envelopes of a stream",
      Buffer.concat([plain, packed]),
      reader({ compression: gzip, isClientStream: true }),
      Buffer.concat([plain, plain]),
    ],
  ])("%s", async (_, body, options, expected) => {
    const { bytes, heldBytes } = await copyAll(readEnvelopes(inChunks(body), 0, options));
    expect(bytes.equals(expected)).toBe(true);
    expect(heldBytes).toBe(0);
  });

  test("a body of known length", async () => {
    const options = reader({ lengthHint: message.length });
    const { bytes, heldBytes } = await copyAll(readWhole(inChunks(message), options));
    expect(bytes.equals(message)).toBe(true);
    expect(heldBytes).toBe(0);
  });
});

test("a body whose length is not known is Connect's to copy at its end", async () => {
  const { heldBytes } = await copyAll(readWhole(inChunks(message), reader({})));
  expect(heldBytes).toBe(message.length);
});
