import { createClient } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { readMemory, resetPeak } from "./process-memory.ts";
import { startTiny } from "./start-tiny.ts";

/** A BMP of 24 bits, whose file is as large as its pixels. */
function bmp(side: number, seed: number): Buffer {
  const bytes = Buffer.alloc(54 + 3 * side * side);
  bytes.write("BM", "latin1");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(side, 18);
  bytes.writeInt32LE(side, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  bytes.fill(Buffer.from(Array.from({ length: 251 }, (_, at) => (at * seed) % 251)), 54);
  return bytes;
}

// The sides are such that lines of a BMP need no padding.
const large = { pictures: "4 pictures of 18.7 MiB", count: 4, side: 2_556 };
const small = { pictures: "1000 pictures of 75 KiB", count: 1_000, side: 160 };
const grpc = (baseUrl: string) => createGrpcTransport({ baseUrl });
const grpcWithGzip = (baseUrl: string) => createGrpcTransport({ baseUrl, sendCompression: compressionGzip });
const connectWithJson = (baseUrl: string) =>
  createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false });

test.each([
  { ...large, way: "gRPC", open: grpc },
  { ...small, way: "gRPC", open: grpc },
  { ...large, way: "Connect with JSON", open: connectWithJson },
  { ...small, way: "gRPC with gzip", open: grpcWithGzip },
])(
  "100 MiB of datas cost at most five times that: $pictures, $way",
  { timeout: 240_000 },
  async ({ count, side, open }) => {
    const server = await startTiny();
    const datas = Array.from({ length: count }, (_, index) => bmp(side, index + 1).toString("base64"));
    const sent = datas.reduce((sum, data) => sum + data.length, 0);
    expect(sent).toBeGreaterThan(97 * 2 ** 20);
    const operator = createClient(Operator, open(server.url));
    await operator.execute({ datas: [bmp(8, 1).toString("base64")] });
    const idle = await readMemory(server.pid, "VmRSS");
    await resetPeak(server.pid);
    const { vectors } = await operator.execute({ datas });
    const peak = await readMemory(server.pid, "VmHWM");
    await server.stop();
    console.log(`${((peak - idle) / sent).toFixed(2)} times ${(sent / 2 ** 20).toFixed(1)} MiB`);
    expect(vectors).toHaveLength(count);
    expect((peak - idle) / sent).toBeLessThanOrEqual(5);
  },
);
