import { readFile } from "node:fs/promises";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentPort } from "../../tools/loopback-port.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";

let server: PorticoProcess;
let photo: string;

beforeAll(async () => {
  server = await startPortico({ args: ["--workers", "1"] });
  photo = await readFile(
    new URL("../../fixtures/images/photo/allium-oreophilum.jpg", import.meta.url),
    "base64",
  );
});
afterAll(() => server?.stop());

const get = (path: string, method = "GET") => fetch(`http://${server.address}${path}`, { method });

describe("a running server", () => {
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
        'portico_items_total{reason="OK"} 4',
        'portico_items_total{reason="IMAGE_UNSUPPORTED"} 1',
        'portico_items_total{reason="BASE64_INVALID"} 1',
        'portico_stage_seconds_count{stage="infer"} 4',
        'portico_stage_seconds_count{stage="decode"} 4',
        "portico_workers 1",
        "portico_ready 1",
        "portico_queue_items 0",
        "portico_queue_bytes 0",
        "portico_queue_oldest_seconds 0",
      ]),
    );
    expect(lines.some((line) => line.startsWith("process_resident_memory_bytes "))).toBe(true);
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
  await waiting.stop("SIGKILL");
  listener.close();
});
