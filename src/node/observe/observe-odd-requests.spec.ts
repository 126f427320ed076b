import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { askHttp } from "../../../tools/ask-http.ts";
import { observed, theRecord, useObservedServer } from "../../../tools/observed-server.ts";
import { http2Frame, http2Headers, http2Hello, sendRaw } from "../../../tools/raw-http.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";

useObservedServer();

describe("a request that reaches no method", () => {
  test.each([
    [
      "an unknown path",
      "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n",
      { status: 404, protocol: undefined, path: undefined },
    ],
    ["a page", "GET /?secret=1 HTTP/1.1\r\nHost: h\r\n\r\n", { status: 200, code: undefined, path: "/" }],
    [
      "an unknown method of gRPC-Web",
      "POST /a/b HTTP/1.1\r\nHost: h\r\nContent-Type: application/grpc-web\r\nContent-Length: 0\r\n\r\n",
      { status: 200, protocol: "grpc-web", code: "Unimplemented" },
    ],
    [
      "an unknown method of Connect",
      "POST /a/b HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
      { status: 404, protocol: "connect", code: "Unimplemented" },
    ],
    [
      "a malformed Host",
      "POST /omnisearch.Operator/Identity HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n\r\n",
      { status: 400, code: undefined },
    ],
  ])("%s", async (_, request, expected) => {
    await sendRaw(observed.port, [request]);
    expect(await theRecord()).toMatchObject({ method: undefined, httpVersion: "1.1", ...expected });
  });

  test("an odd request id is replaced", async () => {
    const head = "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b<c>\r\n\r\n";
    const { text } = await sendRaw(observed.port, [head]);
    const { requestId } = await theRecord();
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(text).toContain(`x-request-id: ${requestId}\r\n`);
  });
});

describe("what is no call has no code", () => {
  const target = "/omnisearch.Operator/Execute HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n";
  test.each([
    ["GET of a method for POST", `GET ${target}\r\n{}`, 405],
    ["PUT", `PUT ${target}Content-Type: application/json\r\n\r\n{}`, 405],
    ["another content type", `POST ${target}Content-Type: text/html\r\n\r\n{}`, 415],
    ["a stream's content type", `POST ${target}Content-Type: application/connect+json\r\n\r\n{}`, 415],
  ])("%s", async (_, request, status) => {
    const { text } = await sendRaw(observed.port, [request]);
    expect(text).toContain(`HTTP/1.1 ${status} `);
    expect(await theRecord()).toMatchObject({
      method: "omnisearch.Operator/Execute",
      code: undefined,
      status,
    });
  });
});

test.each([
  ["/", 200],
  ["/nothing", 404],
  ["/nothing?encoding=json", 404],
])("the bytes of the answer to %s are counted, over HTTP/1.1 and HTTP/2", async (path, status) => {
  const text = await (await fetch(observed.baseUrl + path)).text();
  expect(text.length).toBeGreaterThan(50);
  expect(await theRecord()).toMatchObject({ status, bytesOut: Buffer.byteLength(text), httpVersion: "1.1" });

  observed.ended = [];
  const { body } = await askHttp("2", `127.0.0.1:${observed.port}`, { path });
  expect(body).toBe(text);
  expect(await theRecord()).toMatchObject({ status, bytesOut: Buffer.byteLength(text), httpVersion: "2" });
});

test("the answer to HEAD has no bytes", async () => {
  await fetch(observed.baseUrl, { method: "HEAD" });
  expect(await theRecord()).toMatchObject({ status: 200, bytesOut: 0 });
});

test("a stream that is reset in the packet that opens it is counted out again", async () => {
  const fields = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", "/omnisearch.Operator/Identity"],
    [":authority", "h"],
    ["content-type", "application/grpc"],
  ] as const;
  const reset = (stream: number) => http2Frame(3, 0, stream, Buffer.from([0, 0, 0, 8]));
  const storm = [1, 3, 5, 7].flatMap((stream) => [http2Headers(stream, fields, false), reset(stream)]);
  await sendRaw(observed.port, [Buffer.concat([http2Hello, ...storm])]);
  await expect.poll(() => observed.open).toBe(0);
  expect(observed.ended.length).toBeLessThanOrEqual(4);
  for (const { code } of observed.ended) expect([undefined, "Canceled"]).toContain(code);
});

test("connections that are reset with the packet that holds their request end nothing", async () => {
  const fields = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "h"],
  ] as const;
  for (let count = 0; count < 50; count++) {
    const socket = connectTcp(observed.port, "127.0.0.1");
    await once(socket, "connect");
    const request =
      count % 2
        ? "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        : Buffer.concat([http2Hello, http2Headers(1, fields, true)]);
    socket.write(request);
    if (count % 4 < 2) socket.resetAndDestroy();
    else setImmediate(() => socket.resetAndDestroy());
  }
  await expect.poll(() => observed.open).toBe(0);
  await createClient(Operator, createGrpcTransport({ baseUrl: observed.baseUrl })).identity({});
});

test("connections that break in the middle of a request are counted out again", async () => {
  const half = "POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: h\r\nContent-Type: application/proto\r\n";
  const socket = connectTcp(observed.port, "127.0.0.1");
  socket.write(`${half}Content-Length: 50\r\n\r\nabc`);
  await expect.poll(() => observed.open).toBe(1);
  socket.destroy();
  expect(await theRecord()).toMatchObject({ code: "Canceled", protocol: "connect", bytesIn: 3 });

  observed.ended = [];
  const session = connectHttp2(observed.baseUrl);
  const stream = session.request({
    ":method": "POST",
    ":path": "/omnisearch.Operator/Execute",
    "content-type": "application/grpc",
  });
  stream.on("error", () => undefined);
  stream.write("\0\0\0\0");
  await expect.poll(() => observed.open).toBe(1);
  session.destroy();
  expect(await theRecord()).toMatchObject({ code: "Canceled", protocol: "grpc" });
});
