import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { ServerCompatRequest } from "./conformance-messages.ts";
import { readConformanceRegistry } from "./conformance-registry.ts";
import { startConformanceServer } from "./start-conformance-server.ts";

/**
 * What connectconformance starts, once for each configuration: reads a `ServerCompatRequest` from stdin,
 * writes a `ServerCompatResponse` to stdout, each behind its length in four bytes, and serves until SIGTERM.
 */

const lengthBytes = 4;

async function readFramed(): Promise<Uint8Array> {
  let received = Buffer.alloc(0);
  for await (const chunk of process.stdin) {
    received = Buffer.concat([received, chunk]);
    if (received.length < lengthBytes) continue;
    const end = lengthBytes + received.readUInt32BE(0);
    if (received.length >= end) return received.subarray(lengthBytes, end);
  }
  throw new Error(`expected a ServerCompatRequest on stdin, got ${received.length} bytes`);
}

function writeFramed(message: Uint8Array): void {
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  process.stdout.write(Buffer.concat([length, message]));
}

const known = readConformanceRegistry();
const wanted = fromBinary(known.message("ServerCompatRequest"), await readFramed());
const { messageReceiveLimit } = wanted as ServerCompatRequest;
const { host, port } = await startConformanceServer(known, messageReceiveLimit);
const responseDesc = known.message("ServerCompatResponse");
writeFramed(toBinary(responseDesc, create(responseDesc, { host, port } as Record<string, unknown>)));
