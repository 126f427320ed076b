import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, silentPort } from "../../../tools/loopback-port.ts";
import { type PorticoProcess, startPortico } from "../../../tools/start-portico.ts";
import type { Embedder } from "../../embed/embedder.ts";
import { EmbedError } from "../../errors.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { findModelManifest } from "../model/model-catalog.ts";
import { createMetrics } from "./metrics.ts";

let server: PorticoProcess;
let photo: string;
/** Where pictures may be fetched from. */
let port: number;

beforeAll(async () => {
  port = await freePort();
  server = await startPortico({ args: ["--workers", "1", "--allow-hosts", `127.0.0.1:${port}`] });
  photo = await readFile(
    new URL("../../../fixtures/images/photo/allium-oreophilum.jpg", import.meta.url),
    "base64",
  );
});
afterAll(() => server?.stop());

const metricLines = async () => (await (await get("/metrics")).text()).split("\n");
const callSecondsLines = (lines: readonly string[], method: string) =>
  lines.filter((line) => line.startsWith("portico_call_seconds") && line.includes(`method="${method}"`))
    .length;
const get = (path: string, method = "GET") => fetch(`http://${server.address}${path}`, { method });

describe("a running server", () => {
  test("what is no call is counted by its status, and as no call", async () => {
    const url = `http://${server.address}/omnisearch.Operator/Healthy`;
    expect((await fetch(url, { method: "PUT", body: "{}" })).status).toBe(405);
    expect((await fetch(url, { method: "POST", body: "junk" })).status).toBe(415);
    const lines = await metricLines();
    expect(lines).toContain('portico_http_requests_total{version="1.1",status="405"} 1');
    expect(lines).toContain('portico_http_requests_total{version="1.1",status="415"} 1');
    const calls = lines.filter((line) => line.startsWith("portico_calls_total"));
    expect(calls.filter((line) => line.includes("Unknown") || line.includes("Healthy"))).toEqual([]);
    // The alerts ask for the rate of these, which needs a value before the first one.
    expect(lines).toContain('portico_items_total{model="resnet50",reason="ENGINE_FAILED"} 0');
    expect(lines).toContain('portico_items_total{model="resnet50",reason="INTERNAL"} 0');
  });

  test("counts calls, items and stages", async () => {
    const baseUrl = `http://${server.address}`;
    const grpc = createClient(Operator, createGrpcTransport({ baseUrl }));
    const connect = createClient(Operator, createConnectTransport({ baseUrl, httpVersion: "1.1" }));
    await grpc.execute({ datas: [photo, photo] });
    await expect(connect.execute({ datas: [photo, "!"] })).rejects.toThrow();
    await expect(connect.execute({ datas: [photo, btoa("no picture")] })).rejects.toThrow();
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toContain("text/plain");
    const lines = (await response.text()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        'portico_calls_total{method="omnisearch.Operator/Execute",protocol="grpc",code="OK"} 1',
        'portico_calls_total{method="omnisearch.Operator/Execute",protocol="connect",code="InvalidArgument"} 2',
        'portico_items_total{model="resnet50",reason="OK"} 4',
        'portico_items_total{model="resnet50",reason="IMAGE_UNSUPPORTED"} 1',
        'portico_items_total{model="resnet50",reason="BASE64_INVALID"} 1',
        'portico_stage_seconds_count{model="resnet50",stage="infer"} 4',
        'portico_stage_seconds_count{model="resnet50",stage="decode"} 4',
        'portico_stage_seconds_count{model="resnet50",stage="queue"} 4',
        'portico_http_requests_total{version="2",status="200"} 1',
        'portico_http_requests_total{version="1.1",status="400"} 2',
        'portico_workers{model="resnet50"} 1',
        "portico_ready 1",
        'portico_queue_items{model="resnet50"} 0',
        'portico_queue_bytes{model="resnet50"} 0',
        'portico_queue_oldest_seconds{model="resnet50"} 0',
      ]),
    );
    expect(lines.some((line) => line.startsWith("process_resident_memory_bytes "))).toBe(true);
  });

  test("counts what came by URL, and no caller can make a series", async () => {
    let sent: IncomingHttpHeaders = {};
    const pictures = createServer(({ headers }, response) => {
      sent = headers;
      response.end(Buffer.from(photo, "base64"));
    });
    await once(pictures.listen(port, "127.0.0.1"), "listening");
    const baseUrl = `http://${server.address}`;
    const grpc = createClient(Operator, createGrpcTransport({ baseUrl }));
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const own = { traceparent, tracestate: "a=b", "x-request-id": "mine" };
    await grpc.execute({ urls: [`http://127.0.0.1:${port}/a.jpg`] }, { headers: own });
    // Strangers learn nothing of the caller's traces.
    expect(Object.keys(sent).filter((name) => name in own)).toEqual([]);
    expect(sent.host).toBe(`127.0.0.1:${port}`);
    pictures.close();
    const count = (lines: readonly string[]) => lines.filter((line) => line.startsWith("portico_")).length;
    const before = count(await metricLines());
    for (let index = 0; index < 20; index++) {
      const headers = { "content-type": "application/grpc", "x-request-id": `id-${index}` };
      await fetch(`${baseUrl}/made.Up${index}/Method${index}`, { method: "POST", headers });
      await fetch(`${baseUrl}/page-${index}`, { method: index % 2 ? "PUT" : "GET" });
    }
    const lines = await metricLines();
    expect(lines).toEqual(
      expect.arrayContaining([
        'portico_stage_seconds_count{stage="fetch"} 1',
        'portico_stage_seconds_count{model="resnet50",stage="queue"} 5',
        'portico_calls_total{method="unknown",protocol="grpc",code="Unimplemented"} 20',
        'portico_http_requests_total{version="1.1",status="404"} 20',
        "portico_requests_in_flight 1",
      ]),
    );
    // The method "unknown" (its counter, its buckets, sum and count) and the status 404.
    expect(count(lines) - before).toBe(1 + callSecondsLines(lines, "unknown") + 1);
  });

  test("says what runs here", async () => {
    const { fingerprint } = await findModelManifest("resnet50");
    const labels = `version="0.1.0",engine="simd",model="resnet50",vector_space="${fingerprint}"`;
    expect(await metricLines()).toContain(`portico_build_info{${labels},node="${process.version}"} 1`);
  });

  test.each([
    { path: "/livez", status: 200, text: "alive\n" },
    { path: "/readyz", status: 200, text: "ready\n" },
    { path: "/readyz?verbose", status: 200, text: "ready\n" },
  ])("$path", async ({ path, status, text }) => {
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([status, text]);
    const head = await get(path, "HEAD");
    expect([head.status, await head.text()]).toEqual([status, ""]);
  });
});

test("a server without a model lives, but is not ready", async () => {
  const { listener, port } = await silentPort();
  const waiting = await startPortico({
    args: ["--cache", "output/no-such-cache"],
    env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: "output/no-such-npm-cache" },
    until: "listening; the model is loading",
  });
  const status = async (path: string) => (await fetch(`http://${waiting.address}${path}`)).status;
  expect([await status("/livez"), await status("/readyz")]).toEqual([200, 503]);
  // What computes is known once the first worker has passed its self-check.
  const metrics = await (await fetch(`http://${waiting.address}/metrics`)).text();
  expect(metrics).toMatch(/^portico_build_info\{version="[^"]+",engine="",model="resnet50",.*\} 1$/m);
  const baseUrl = `http://${waiting.address}`;
  const service = createClient(EmbeddingService, createGrpcTransport({ baseUrl }));
  expect(await service.getModel({})).toMatchObject({ model: { engine: "", ready: false } });
  await waiting.stop("SIGKILL");
  listener.close();
});

const state = { queuedItems: 0, queuedBytes: 0, oldestMs: 0, workers: 1, helps: 3, isReady: true };

const series = {
  name: "m",
  vectorSpace: () => "v",
  engine: () => "e",
  pool: () => state,
  memoryBytes: () => 5,
};
const createMetricsOfOne = () => createMetrics({ version: "1", isReady: () => true, models: [series] });

test("workers that are replaced are counted by reason", async () => {
  const metrics = createMetricsOfOne();
  metrics.ofModel("m").onPoolEvent({ kind: "ready-changed", ready: true });
  const error = new EmbedError("ENGINE_FAILED", "gone");
  metrics.ofModel("m").onPoolEvent({ kind: "worker-lost", error, restartInMs: 1 });
  metrics.ofModel("m").onPoolEvent({ kind: "worker-lost", error, restartInMs: 1 });
  metrics.ofModel("m").onPoolEvent({ kind: "worker-outgrown", wasmBytes: 1 });
  const lines = (await metrics.text()).split("\n").filter((line) => line.startsWith("portico_worker_"));
  expect(lines).toEqual([
    'portico_worker_restarts_total{model="m",reason="ENGINE_FAILED"} 2',
    'portico_worker_restarts_total{model="m",reason="IMAGE_TOO_SLOW"} 0',
    'portico_worker_restarts_total{model="m",reason="VECTOR_DRIFT"} 0',
    'portico_worker_restarts_total{model="m",reason="OUTGROWN"} 1',
    'portico_worker_helps_total{model="m"} 3',
  ]);
});

test("batches are counted by their size", async () => {
  const metrics = createMetricsOfOne();
  for (const pictures of [1, 32, 20]) metrics.ofModel("m").onPoolEvent({ kind: "batch-begun", pictures });
  const lines = (await metrics.text()).split("\n").filter((line) => line.startsWith("portico_batch_items"));
  expect(lines).toEqual([
    'portico_batch_items_bucket{le="1",model="m"} 1',
    'portico_batch_items_bucket{le="2",model="m"} 1',
    'portico_batch_items_bucket{le="4",model="m"} 1',
    'portico_batch_items_bucket{le="8",model="m"} 1',
    'portico_batch_items_bucket{le="16",model="m"} 1',
    'portico_batch_items_bucket{le="32",model="m"} 3',
    'portico_batch_items_bucket{le="+Inf",model="m"} 3',
    'portico_batch_items_sum{model="m"} 53',
    'portico_batch_items_count{model="m"} 3',
  ]);
});

test("an observed embedder takes as many pictures at once as the other does at that moment", () => {
  let concurrency = 4;
  const embedder: Embedder = {
    get concurrency() {
      return concurrency;
    },
    ready: Promise.resolve(),
    isReady: () => true,
    embed: () => Promise.reject(new Error("not asked for")),
    dispose: async () => undefined,
  };
  const observed = createMetricsOfOne().ofModel("m").observeEmbedder(embedder);
  concurrency = 32;
  expect(observed.concurrency).toBe(32);
});
