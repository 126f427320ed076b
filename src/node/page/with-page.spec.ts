import { rm, writeFile } from "node:fs/promises";
import { connect as connectHttp2 } from "node:http2";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { askHttp, httpVersions } from "../../../tools/ask-http.ts";
import { openSamplePage } from "../../../tools/page/sample-page.ts";
import { html, modelBytes, usePageServer } from "../../../tools/page/use-page-server.ts";
import { textPage } from "../http/http-pages.ts";
import type { PageModel } from "./page-model.ts";

const site = usePageServer();
const asset = "/assets/main-0a1b2c3d.js";

describe.each(httpVersions)("over HTTP/%s", (version) => {
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET") =>
    askHttp(version, site.address(), { method, path, headers });

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
    await fetch(`http://${site.address()}/index.html`, { headers: { "accept-encoding": "identity" } })
  ).text();
  for (const [encoding, unpack] of [
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ] as const) {
    const session = connectHttp2(`http://${site.address()}`);
    const stream = session.request({ ":path": "/index.html", "accept-encoding": encoding });
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    session.close();
    expect(unpack(Buffer.concat(pieces)).toString()).toBe(plain);
  }
});

test("a gate closes the models and nothing else, and the page is told of it", async () => {
  const refusal = { ...textPage(401, "closed"), headers: { "www-authenticate": "Bearer" } };
  const gated = await site.start({
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
  const file = join(site.folder(), "model-int8.onnx");
  const form = (variant: "fp16" | "int8", path: string): PageModel => ({
    ...{ name: "tiny", variant, sha256: (variant === "int8" ? "88" : "16").repeat(32), bytes: 8, path },
  });
  const refusal = textPage(401, "closed");
  let opened = 0;
  const gated = await site.start({
    models: [
      { variant: "fp32", name: "tiny", sha256: "5a".repeat(32), bytes: modelBytes, path: site.model() },
    ],
    forms: [form("fp16", join(site.folder(), "model-fp16.onnx")), form("int8", file)],
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
