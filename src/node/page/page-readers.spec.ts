import { once } from "node:events";
import { truncate, writeFile } from "node:fs/promises";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { askHttp } from "../../../tools/ask-http.ts";
import { samplePage } from "../../../tools/page/sample-page.ts";
import { modelBytes, usePageServer } from "../../../tools/page/use-page-server.ts";
import { pageTransfersMaxCost } from "./answer-page.ts";

const site = usePageServer();
const asset = "/assets/main-0a1b2c3d.js";

test("readers that stop cost neither memory nor others' time, and are cut off", async () => {
  const idle = site.connections();
  const slow = Array.from({ length: 20 }, () => {
    const socket = connectTcp({ host: "127.0.0.1", port: Number(site.address().split(":")[1]) });
    socket.write("GET /models/tiny.onnx HTTP/1.1\r\nhost: a\r\n\r\n");
    return socket;
  });
  const before = process.memoryUsage();
  await Promise.all(slow.map((socket) => once(socket, "readable")));
  const meanwhile = await askHttp("2", site.address(), { path: "/models/tiny.onnx" });
  expect(meanwhile.body.length).toBe(modelBytes);
  const { external, arrayBuffers } = process.memoryUsage();
  // Twenty models are 1280 MiB. What the other reader got is text here, and no buffer.
  expect(external + arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(256 * 2 ** 20);
  await expect.poll(() => site.connections()).toBeLessThanOrEqual(idle);
  for (const socket of slow) socket.destroy();
});

test("large files that are sent at once are counted, and places come back", async () => {
  const session = connectHttp2(`http://${site.address()}`);
  const other = connectHttp2(`http://${site.address()}`);
  const open = (from = session): ClientHttp2Stream => from.request({ ":path": "/models/tiny.onnx" });
  const statusOf = async (stream: ClientHttp2Stream) => (await once(stream, "response"))[0][":status"];
  // Nobody reads them: each has what its window lets through.
  const streams = Array.from({ length: pageTransfersMaxCost }, () => open());
  expect(new Set(await Promise.all(streams.map(statusOf)))).toEqual(new Set([200]));
  const refused = await askHttp("1.1", site.address(), { path: "/models/tiny.onnx" });
  expect([refused.status, refused.body, refused.headers["retry-after"]]).toEqual([
    503,
    "too many large files are being sent at once; try again\n",
    "1",
  ]);
  // What is kept in memory, and questions, take no place.
  expect((await askHttp("1.1", site.address(), { path: asset })).status).toBe(200);
  expect((await askHttp("1.1", site.address(), { path: "/models/tiny.onnx", method: "HEAD" })).status).toBe(
    200,
  );
  for (const stream of streams) stream.close();
  await vi.waitFor(async () => expect(await statusOf(open(other))).toBe(200), { timeout: 10_000 });
  session.destroy();
  other.destroy();
});

test("requests sent ahead get their files in turn, whole", async () => {
  const socket = connectTcp({ host: "127.0.0.1", port: Number(site.address().split(":")[1]) });
  const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
  socket.write(get("/LICENSES.txt") + get("/models/tiny.onnx") + get(asset, "connection: close\r\n"));
  let bytes = 0;
  let tail = Buffer.alloc(0);
  for await (const piece of socket) {
    bytes += (piece as Buffer).length;
    tail = Buffer.concat([tail, piece as Buffer]).subarray(-2_000);
  }
  expect(bytes).toBeGreaterThan(modelBytes);
  expect(tail.toString("latin1").endsWith(`\r\n\r\n${samplePage[asset.slice(1)]}`)).toBe(true);
});

test("a model that gets shorter while it is sent breaks off", async () => {
  const path = join(site.folder(), "shrinking.onnx");
  await writeFile(path, "");
  await truncate(path, modelBytes);
  const models = [
    { variant: "fp32" as const, name: "shrinking", sha256: "1b".repeat(32), bytes: modelBytes, path },
  ];
  const one = await site.start({ models });
  site.logged.length = 0;
  const answer = await fetch(`http://${one.address}/models/shrinking.onnx`);
  await truncate(path, 2 ** 20);
  await expect(answer.arrayBuffer()).rejects.toThrow("terminated");
  expect(site.logged).toEqual([
    [
      "error",
      "the page could not be sent",
      expect.objectContaining({
        error: expect.objectContaining({ message: expect.stringContaining("expected 67108864 bytes") }),
      }),
    ],
  ]);
  await one.server.close({ graceMs: 0 });
});
