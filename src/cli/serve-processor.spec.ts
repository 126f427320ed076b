import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readImage } from "../../fixtures/read-golden.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { failureOf } from "../../tools/service/call-failure.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { Health } from "../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";

const halves = `
export default {
  name: "halves",
  async process(picture) {
    const { width, height, data } = await picture.decode();
    if (height < 2) throw new Error("nothing to halve");
    const middle = Math.floor(height / 2);
    return [
      { width, height: middle, data: data.slice(0, middle * width * 3) },
      { width, height: height - middle, data: data.slice(middle * width * 3) },
    ];
  },
};
`;

let folder: string;
let module: string;
let server: PorticoProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "portico-serve-processor-"));
  module = join(folder, "halves.mjs");
  writeFileSync(module, halves);
  server = await startPortico({ args: ["--processor", module, "--workers", "1"] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true });
});

const dataOf = (path: string) => Buffer.from(readImage(path)).toString("base64");
const clientOf = () => createClient(Operator, createGrpcTransport({ baseUrl: `http://${server.address}` }));

describe("a server with a processor of one's own", () => {
  test("gives the pictures of each input, in order", async () => {
    const reply = await clientOf().execute({ datas: ["png/rgb-2x3.png", "png/rgb-16x16.png"].map(dataOf) });
    expect(reply.nums).toBe(4n);
    const sizes = reply.metadata.map(({ data }) => {
      const png = Buffer.from(Buffer.from(data).toString(), "base64");
      return [png.readUInt32BE(16), png.readUInt32BE(20)];
    });
    expect(sizes).toEqual([
      [2, 1],
      [2, 2],
      [16, 8],
      [16, 8],
    ]);
  });

  test("fails the call where one picture cannot be worked on, naming each, and logs where its code failed", async () => {
    const datas = [dataOf("png/rgb-2x3.png"), dataOf("png/rgb-1x1.png"), "!"];
    const failure = await failureOf(clientOf().execute({ datas }));
    expect(failure.message).toMatch(/^PROCESSOR_FAILED: 2 of 3 items failed: datas\[1\] PROCESSOR_FAILED: /);
    expect(failure.details[0]!.items.map(({ index, reason, message }) => [index, reason, message])).toEqual([
      [1, "PROCESSOR_FAILED", "the processor halves failed: nothing to halve"],
      [2, "BASE64_INVALID", expect.any(String)],
    ]);
    const line = () => server.log.find(({ msg }) => msg === "the processor halves failed: nothing to halve");
    await expect.poll(line, { timeout: 30_000 }).toMatchObject({
      level: 40,
      cause: expect.stringMatching(/halves\.mjs:6/),
    });
  });

  test("serves the contract and no vectors: services, page, metrics", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: `http://${server.address}` }));
    expect(Object.keys((await health.list({})).statuses).sort()).toEqual(["", "omnisearch.Operator"]);
    const embedding = `http://${server.address}/portico.v1.EmbeddingService/ListModels`;
    const headers = { "content-type": "application/json" };
    expect((await fetch(embedding, { method: "POST", headers, body: "{}" })).status).toBe(404);
    const page = await fetch(`http://${server.address}/`, { headers: { accept: "text/html" } });
    expect(await page.text()).not.toContain("<html");
    const metrics = await (await fetch(`http://${server.address}/metrics`)).text();
    expect(metrics).toMatch(/portico_stage_seconds_count\{.*model="halves",stage="process".*\} 3\n/);
    expect(metrics).toMatch(/portico_stage_seconds_count\{.*stage="queue".*\} 3\n/);
    expect(metrics).toMatch(/portico_items_total\{.*reason="PROCESSOR_FAILED".*\} 1\n/);
    expect(server.log.find(({ msg }) => msg === "ready")).toMatchObject({
      processor: "halves",
      workers: "1 (--workers)",
    });
  });

  test("lets calls in flight end", async () => {
    const datas = Array.from({ length: 2 }, () => dataOf("photo/nagasaki-boats.jpg"));
    const call = clientOf().execute({ datas });
    await expect
      .poll(async () => (await fetch(`http://${server.address}/metrics`)).text(), { timeout: 30_000 })
      .toMatch(/portico_requests_in_flight 2\n/);
    const stopped = server.stop();
    expect((await call).nums).toBe(4n);
    expect(await stopped).toBe(0);
  });
});

describe("what cannot be served is one line and exit code 2, before the port opens", () => {
  test.each([
    [
      "no such file",
      "./none.ts",
      /^portico: the processor \.\/none\.ts cannot be loaded: Cannot find module .*\n$/,
    ],
    [
      "no processor",
      "./src/errors.ts",
      /^portico: expected \.\/src\/errors\.ts to export a processor by default, \{ name, process\(picture\) \}, got no default export\n$/,
    ],
  ])("%s", async (_, processor, line) => {
    const run = await runPortico(["serve", "--listen", "127.0.0.1:0", "--processor", processor]);
    expect(run).toEqual({ code: 2, stdout: "", stderr: expect.stringMatching(line) });
  });
});
