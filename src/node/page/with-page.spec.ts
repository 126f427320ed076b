import { once } from "node:events";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { openSamplePage, samplePage } from "../../../tools/page/sample-page.ts";
import { EmbedError } from "../../errors.ts";
import { textPage } from "../http/http-pages.ts";
import { createOnePortServer, type OnePortServer } from "../http/one-port-server.ts";
import { pageTransfersMaxCost } from "./answer-page.ts";
import type { PageModel } from "./page-model.ts";
import { type PageOptions, withPage } from "./with-page.ts";

/** What a client that stalls leaves in the buffers of both sockets is far less. */
const modelBytes = 64 * 2 ** 20;
const replyStallTimeoutMs = 800;
const fp32 = { variant: "fp32" } as const;

let folder: string;
let model: string;
let server: OnePortServer;
let address: string;
const logged: unknown[] = [];

async function start(more: Partial<PageOptions> = {}): Promise<{ server: OnePortServer; address: string }> {
  const log = (...told: unknown[]) => void logged.push(told);
  const options = {
    models: [
      { ...fp32, name: "tiny", sha256: "5a".repeat(32), bytes: modelBytes, path: model },
      { ...fp32, name: "late", sha256: "00".repeat(32), bytes: 8, path: join(folder, "late", "model.onnx") },
    ],
    openSource: openSamplePage,
    log,
    ...more,
  };
  const handler = withPage(options, (request, response) => {
    response.statusCode = 404;
    response.end(`the handler's own answer to ${request.method}`);
  });
  const started = createOnePortServer({ handler, log, limits: { replyStallTimeoutMs } });
  const { host, port } = await started.listen({ host: "127.0.0.1", port: 0 });
  return { server: started, address: `${host}:${port}` };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-page-"));
  model = join(folder, "model.onnx");
  await writeFile(model, "");
  await truncate(model, modelBytes);
  ({ server, address } = await start());
});
afterAll(async () => {
  await server?.close({ graceMs: 0 });
  await rm(folder, { recursive: true });
});

const html = { accept: "text/html,*/*;q=0.8" };
const asset = "/assets/main-0a1b2c3d.js";

describe.each(httpVersions)("over HTTP/%s", (version) => {
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
    askHttp(version, address, { method, path, headers });

  test("every file has the headers that keep scripts, frames and other origins out", async () => {
    for (const path of [
      "/",
      "/index.html",
      "/service-worker.js",
      "/LICENSES.txt",
      asset,
      "/models/tiny.onnx",
    ]) {
      const { status, headers } = await ask(path, html, "HEAD");
      expect([path, status]).toEqual([path, 200]);
      expect(headers).toMatchObject({
        "content-security-policy":
          "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; " +
          "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
      });
      expect(headers["permissions-policy"]).toContain("camera=()");
    }
  });

  test.each([
    ["/", "text/html; charset=utf-8", "no-cache"],
    ["/service-worker.js", "text/javascript; charset=utf-8", "no-cache"],
    [asset, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
    ["/assets/kernels-0a1b2c3d.wasm", "application/wasm", "public, max-age=31536000, immutable"],
    ["/models/tiny.onnx", "application/octet-stream", "no-cache"],
  ])("%s is %s, kept as %s, and not sent again to whom has it", async (path, type, cacheControl) => {
    const { headers, body } = await ask(path, html);
    expect([headers["content-type"], headers["cache-control"]]).toEqual([type, cacheControl]);
    expect(headers["content-length"]).toBe(String(body.length));
    const etag = String(headers.etag);
    for (const known of [etag, etag.replace("W/", ""), `"other", ${etag}`, "*"]) {
      const again = await ask(path, { ...html, "if-none-match": known });
      expect([again.status, again.body, again.headers.etag]).toEqual([304, "", etag]);
      expect(again.headers["content-security-policy"]).toBeDefined();
    }
    const other = await ask(path, { ...html, "if-none-match": 'W/"other"' }, "HEAD");
    expect([other.status, other.body, other.headers["content-length"]]).toEqual([
      200,
      "",
      String(body.length),
    ]);
  });

  test.each([
    [asset, "gzip, deflate, br", "br", "brotli of it"],
    [asset, "gzip", "gzip", "gzip of it"],
    [asset, "identity", undefined, "export {};"],
    ["/assets/kernels-0a1b2c3d.wasm", "gzip", undefined, "\0asm"],
    ["/assets/kernels-0a1b2c3d.wasm", "br", "br", "brotli of that"],
  ])("%s with accept-encoding %s", async (path, accepted, encoding, text) => {
    const { headers, body } = await ask(path, { "accept-encoding": accepted });
    expect([headers["content-encoding"], body]).toEqual([encoding, text]);
    expect(headers.vary).toBe("accept-encoding");
  });

  test("index.html is told of the models, and the service worker of the page's version", async () => {
    const { body, headers } = await ask("/", html);
    expect(body).toContain(
      `content='{"server":".","models":[{"name":"tiny","variant":"fp32"},{"name":"late","variant":"fp32"}],"needsToken":false}'`,
    );
    expect(headers.vary).toBe("accept, accept-encoding");
    expect((await ask("/index.html")).body).toBe(body);
    expect((await ask("/service-worker.js")).body).toMatch(/^const version = "[0-9a-f]{16}";$/);
  });

  test.each([
    ["GET", "/", "*/*"],
    ["GET", "/", "application/json"],
    ["POST", "/", "text/html"],
    ["PUT", asset, "text/html"],
    ["OPTIONS", asset, "text/html"],
    ["GET", "/assets/", "text/html"],
    ["GET", "/assets/main-0a1b2c3d.js.br", "text/html"],
    ["GET", "/assets/../index.html", "text/html"],
    ["GET", "/assets/%2e%2e/%2e%2e/package.json", "text/html"],
    ["GET", "/assets/..%2f..%2fpackage.json", "text/html"],
    ["GET", "/assets/..\\..\\package.json", "text/html"],
    ["GET", "/assets/%00", "text/html"],
    ["GET", "//assets/main-0a1b2c3d.js", "text/html"],
    ["GET", "/models/../model.onnx", "text/html"],
    ["GET", "/models/none.onnx", "text/html"],
    ["GET", "/assets/constructor", "text/html"],
    ["GET", "/favicon.ico", "image/*"],
    ["GET", "/index.html/", "text/html"],
  ])("%s %s for %s is left to the handler", async (method, path, accept) => {
    const { status, body, headers } = await ask(path, { accept }, method);
    expect([status, body]).toEqual([404, `the handler's own answer to ${method}`]);
    expect(headers.vary).toBe(method === "GET" && path === "/" ? "accept" : undefined);
  });

  test("a model that is not prepared yet is told in words, with the time to wait", async () => {
    const { status, body, headers } = await ask("/models/late.onnx");
    expect([status, body]).toEqual([503, "the model late is not prepared yet; try again\n"]);
    expect(headers).toMatchObject({ "retry-after": "10", "cache-control": "no-store" });
  });
});

test("what is compressed on the way is what it was", async () => {
  const plain = await (
    await fetch(`http://${address}/index.html`, { headers: { "accept-encoding": "identity" } })
  ).text();
  for (const [encoding, unpack] of [
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ] as const) {
    const session = connectHttp2(`http://${address}`);
    const stream = session.request({ ":path": "/index.html", "accept-encoding": encoding });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    session.close();
    expect(unpack(Buffer.concat(pieces)).toString()).toBe(plain);
  }
});

test("a gate closes the models and nothing else, and the page is told of it", async () => {
  const refusal = { ...textPage(401, "closed"), headers: { "www-authenticate": "Bearer" } };
  const gated = await start({
    modelGate: (_path, { headers }) => (headers.authorization ? undefined : refusal),
  });
  const ask = (path: string, headers = {}) => askHttp("2", gated.address, { method: "GET", path, headers });
  expect((await ask("/index.html")).body).toContain('"needsToken":true');
  expect((await ask(asset)).status).toBe(200);
  const refused = await ask("/models/tiny.onnx");
  expect([refused.status, refused.body, refused.headers["www-authenticate"]]).toEqual([
    401,
    "closed\n",
    "Bearer",
  ]);
  expect((await ask("/models/tiny.onnx", { authorization: "x" })).status).toBe(200);
  await gated.server.close({ graceMs: 0 });
});

test("other forms of the model are offered as long as they are prepared, behind the same gate", async () => {
  const file = join(folder, "model-int8.onnx");
  const form = (variant: "fp16" | "int8", path: string): PageModel => ({
    ...{ name: "tiny", variant, sha256: (variant === "int8" ? "88" : "16").repeat(32), bytes: 8, path },
  });
  const refusal = textPage(401, "closed");
  let opened = 0;
  const gated = await start({
    models: [{ ...fp32, name: "tiny", sha256: "5a".repeat(32), bytes: modelBytes, path: model }],
    forms: [form("fp16", join(folder, "model-fp16.onnx")), form("int8", file)],
    modelGate: (_path, { headers }) => (headers.authorization ? undefined : refusal),
    openSource: () => {
      opened += 1;
      return openSamplePage();
    },
  });
  const ask = (path: string, headers = {}, method = "GET") =>
    askHttp("2", gated.address, { method, path, headers });
  const told = async () => {
    const page = await ask("/", html);
    const models = /"models":(\[.*\]),"needsToken":true/.exec(page.body)?.[1] ?? "";
    const worker = (await ask("/service-worker.js")).body;
    return { etag: page.headers.etag, worker, models: JSON.parse(models) as unknown };
  };
  const int8Path = "/models/tiny-int8.onnx";
  const fp32Only = await told();
  expect(fp32Only.models).toEqual([{ name: "tiny", variant: "fp32" }]);
  expect((await ask(int8Path)).status).toBe(401);
  const missing = await ask(int8Path, { authorization: "x" });
  expect([missing.status, missing.body, missing.headers["retry-after"]]).toEqual([
    404,
    "this server has no tiny int8; portico prepare tiny --variant int8 makes it\n",
    undefined,
  ]);
  expect((await ask("/models/tiny-fp32.onnx", { authorization: "x" })).body).toContain("handler's own");

  // One that is cut short is none.
  await writeFile(file, "1234567");
  expect(await told()).toEqual(fp32Only);
  await writeFile(file, "12345678");
  const both = await told();
  expect(both.models).toEqual([
    { name: "tiny", variant: "fp32" },
    { name: "tiny", variant: "int8" },
  ]);
  expect([both.etag === fp32Only.etag, both.worker === fp32Only.worker]).toEqual([false, false]);
  expect((await ask(int8Path)).status).toBe(401);
  const given = await ask(int8Path, { authorization: "x" });
  expect([given.status, given.body, given.headers.etag]).toEqual([200, "12345678", `"${"88".repeat(32)}"`]);
  const known = { authorization: "x", "if-none-match": String(given.headers.etag) };
  expect((await ask(int8Path, known)).status).toBe(304);
  await rm(file);
  expect(await told()).toEqual(fp32Only);
  expect(opened).toBe(1);
  await gated.server.close({ graceMs: 0 });
});

describe("a page that cannot be made", () => {
  test.each([
    [
      new EmbedError("CONFIG_INVALID", "the page cannot be bundled from its sources: no main.tsx"),
      "the page cannot be bundled from its sources: no main.tsx; calls are answered as usual\n",
    ],
    [new Error("/inner/path"), "this page could not be made; calls are answered as usual\n"],
  ])("is told in words, and tried again for the next: %s", async (error, text) => {
    let times = 0;
    const openSource = async () => {
      times += 1;
      if (times === 1) throw error;
      return openSamplePage();
    };
    const broken = await start({ openSource });
    logged.length = 0;
    const first = await askHttp("1.1", broken.address, { path: "/", headers: html });
    expect([first.status, first.body]).toEqual([500, text]);
    expect(logged).toEqual([["error", "the page could not be sent", { path: "/", error }]]);
    for (let i = 0; i < 3; i++) {
      expect((await askHttp("1.1", broken.address, { path: "/", headers: html })).status).toBe(200);
    }
    expect(times).toBe(2);
    await broken.server.close({ graceMs: 0 });
  });

  test("a file that cannot be read is told as one, without the headers of the file", async () => {
    const lost = {
      bytes: 7,
      cost: 0,
      // biome-ignore lint/correctness/useYield: it fails before its first piece
      async *pieces(): AsyncGenerator<Uint8Array> {
        throw new Error("no such file");
      },
    };
    const openSource = async () => new Map([...(await openSamplePage()), ["assets/lost-0a1b2c3d.js", lost]]);
    const broken = await start({ openSource });
    for (const version of httpVersions) {
      const { status, body, headers } = await askHttp(version, broken.address, {
        path: "/assets/lost-0a1b2c3d.js",
      });
      expect([status, body]).toEqual([500, "this page could not be made; calls are answered as usual\n"]);
      expect([headers.etag, headers["cache-control"]]).toEqual([undefined, "no-store"]);
    }
    await broken.server.close({ graceMs: 0 });
  });

  test("a built page that lacks a part is one", async () => {
    const broken = await start({ openSource: async () => new Map() });
    expect((await askHttp("2", broken.address, { path: "/", headers: html })).status).toBe(500);
    await broken.server.close({ graceMs: 0 });
  });
});

test("readers that stop cost neither memory nor others' time, and are cut off", async () => {
  const idle = server.connections();
  const slow = Array.from({ length: 20 }, () => {
    const socket = connectTcp({ host: "127.0.0.1", port: Number(address.split(":")[1]) });
    socket.write("GET /models/tiny.onnx HTTP/1.1\r\nhost: a\r\n\r\n");
    return socket;
  });
  const before = process.memoryUsage();
  await Promise.all(slow.map((socket) => once(socket, "readable")));
  const meanwhile = await askHttp("2", address, { path: "/models/tiny.onnx" });
  expect(meanwhile.body.length).toBe(modelBytes);
  const { external, arrayBuffers } = process.memoryUsage();
  // Twenty models are 1280 MiB. What the other reader got is text here, and no buffer.
  expect(external + arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(256 * 2 ** 20);
  await vi.waitFor(() => expect(server.connections()).toBeLessThanOrEqual(idle), { timeout: 30_000 });
  for (const socket of slow) socket.destroy();
});

test("large files that are sent at once are counted, and places come back", async () => {
  const session = connectHttp2(`http://${address}`);
  const other = connectHttp2(`http://${address}`);
  const open = (from = session): ClientHttp2Stream => from.request({ ":path": "/models/tiny.onnx" });
  const statusOf = async (stream: ClientHttp2Stream) => (await once(stream, "response"))[0][":status"];
  // Nobody reads them: each has what its window lets through.
  const streams = Array.from({ length: pageTransfersMaxCost }, () => open());
  expect(new Set(await Promise.all(streams.map(statusOf)))).toEqual(new Set([200]));
  const refused = await askHttp("1.1", address, { path: "/models/tiny.onnx" });
  expect([refused.status, refused.body, refused.headers["retry-after"]]).toEqual([
    503,
    "too many large files are being sent at once; try again\n",
    "1",
  ]);
  // What is kept in memory, and questions, take no place.
  expect((await askHttp("1.1", address, { path: asset })).status).toBe(200);
  expect((await askHttp("1.1", address, { path: "/models/tiny.onnx", method: "HEAD" })).status).toBe(200);
  for (const stream of streams) stream.close();
  await vi.waitFor(async () => expect(await statusOf(open(other))).toBe(200), { timeout: 10_000 });
  session.destroy();
  other.destroy();
});

test("requests sent ahead get their files in turn, whole", async () => {
  const socket = connectTcp({ host: "127.0.0.1", port: Number(address.split(":")[1]) });
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
  const path = join(folder, "shrinking.onnx");
  await writeFile(path, "");
  await truncate(path, modelBytes);
  const models = [{ ...fp32, name: "shrinking", sha256: "1b".repeat(32), bytes: modelBytes, path }];
  const one = await start({ models });
  logged.length = 0;
  const answer = await fetch(`http://${one.address}/models/shrinking.onnx`);
  await truncate(path, 2 ** 20);
  await expect(answer.arrayBuffer()).rejects.toThrow("terminated");
  expect(logged).toEqual([
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
