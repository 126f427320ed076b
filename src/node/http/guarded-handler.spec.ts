import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sendRaw } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import type { HttpRequest } from "./http-types.ts";

const messageMaxBytes = 1_000;

let running: TestServer;
let session: ClientHttp2Session;
beforeEach(async () => {
  running = await startTestServer(
    (router) =>
      router.service(Operator, {
        healthy: () => ({ healthy: "healthy" }),
        identity() {
          throw new TypeError("an inner secret");
        },
        execute({ datas }) {
          if (datas[0] === "internal")
            throw new ConnectError("told", Code.Internal, undefined, undefined, new Error("why"));
          return { nums: BigInt(datas.length) };
        },
      }),
    {
      messageMaxBytes,
      discardMaxBytes: 100_000,
      discardTimeoutMs: 200,
      requestTimeoutMs: 300,
      headersTimeoutMs: 300,
    },
  );
  // Node's client counts what it could not send against its own limit, 10 MB by default, and then stops.
  session = connectHttp2(running.url, { maxSessionMemory: 1_000 });
});
afterEach(async () => {
  session.destroy();
  await running.server.close({ graceMs: 0 });
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on the test's HTTP/2 session. */
async function send(
  path: string,
  contentType: string,
  body: string | Uint8Array,
  more = {},
): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": contentType, ...more });
  let headers: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
  let trailers: IncomingHttpHeaders = {};
  let text = "";
  stream.on("response", (got) => {
    headers = got;
  });
  stream.on("trailers", (got) => {
    trailers = got;
  });
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  stream.end(body);
  await once(stream, "close");
  return { status: headers[":status"], headers, trailers, body: text };
}

const operator = "/omnisearch.Operator";
const json = "application/json";
const envelope = (bytes: Uint8Array, flags = 0) => {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

async function expectAlive(): Promise<void> {
  expect(await send(`${operator}/Healthy`, json, "{}")).toMatchObject({
    status: 200,
    body: '{"healthy":"healthy"}',
  });
  const response = await fetch(`${running.url}${operator}/Healthy`, {
    method: "POST",
    headers: { "content-type": json },
    body: "{}",
  });
  expect(await response.text()).toBe('{"healthy":"healthy"}');
}

describe("an unknown method is answered in the caller's protocol", () => {
  const message =
    "this server has no method /omnisearch.Operator/Näh; it has the services omnisearch.Operator";
  const encoded =
    "this server has no method /omnisearch.Operator/N%25C3%25A4h; it has the services omnisearch.Operator";
  const path = `${operator}/${encodeURIComponent("Näh")}`;

  test.each([
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
  ])("%s", async (contentType) => {
    const { status, headers, body } = await send(path, contentType, envelope(Buffer.alloc(0)));
    expect({ status, body }).toEqual({ status: 200, body: "" });
    expect(headers).toMatchObject({
      "content-type": contentType,
      "grpc-status": "12",
      "grpc-message": encoded,
    });
    await expectAlive();
  });

  test.each([json, "application/proto", "application/connect+json", "application/json; charset=utf-8"])(
    "%s",
    async (contentType) => {
      const { status, headers, body } = await send(path, contentType, "{}");
      expect(status).toBe(404);
      expect(headers["content-type"]).toBe(json);
      expect(JSON.parse(body)).toEqual({ code: "unimplemented", message: message.replace("ä", "%C3%A4") });
    },
  );

  test("a Connect GET", async () => {
    const response = await fetch(`${running.url}/no.Such/Method?connect=v1&encoding=json&message=%7B%7D`);
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      code: "unimplemented",
      message: "this server has no method /no.Such/Method; it has the services omnisearch.Operator",
    });
  });

  test("a browser", async () => {
    const response = await fetch(`${running.url}/favicon.ico`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe(
      "this server has no method /favicon.ico; it has the services omnisearch.Operator\n",
    );
  });
});

describe("the path /", () => {
  test("says what this port speaks", async () => {
    const response = await fetch(running.url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(await response.text()).toBe(
      [
        "Portico: a picture in, its embedding vector out.",
        "This port speaks gRPC, gRPC-Web and Connect, over HTTP/1.1 and over HTTP/2 with prior knowledge.",
        "Services: omnisearch.Operator",
        "Try: grpcurl -plaintext HOST:PORT list",
        "",
      ].join("\n"),
    );
  });

  test("takes HEAD and nothing else", async () => {
    const head = await fetch(running.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await fetch(running.url, { method: "DELETE" });
    expect([post.status, post.headers.get("allow"), await post.text()]).toEqual([
      405,
      "GET, HEAD",
      "expected GET or HEAD for the path /, got DELETE\n",
    ]);
  });
});

describe("a handler that throws", () => {
  test("tells the client nothing and the log everything", async () => {
    const connect = await send(`${operator}/Identity`, json, "{}");
    expect([connect.status, connect.body]).toEqual([500, '{"code":"internal","message":"internal error"}']);
    const grpc = await send(`${operator}/Identity`, "application/grpc", envelope(Buffer.alloc(0)));
    const { "grpc-status": status, "grpc-message": message } = { ...grpc.headers, ...grpc.trailers };
    expect([grpc.status, status, message]).toEqual([200, "13", "internal error"]);
    expect(running.logged).toEqual(Array(2).fill("error: a call failed inside: an inner secret"));
    await expectAlive();
  });

  test("an internal ConnectError is logged too, any other is the caller's", async () => {
    await send(`${operator}/Execute`, json, '{"datas":["internal"]}');
    expect(running.logged).toEqual(["error: a call failed inside: [internal] told"]);
    await send(`${operator}/Execute`, json, "{not json");
    expect(running.logged).toHaveLength(1);
  });
});

describe("a body over the limit", () => {
  const tooLong = Buffer.alloc(20_000, "a");
  const limit = `configured readMaxBytes ${messageMaxBytes}`;

  const over: [string, string, Uint8Array, object][] = [
    ["Connect, length told", json, tooLong, { "content-length": String(tooLong.length) }],
    ["Connect, length not told", json, tooLong, {}],
    ["Connect, beyond the window", json, Buffer.alloc(3_000_000), {}],
    ["gRPC", "application/grpc", envelope(tooLong), {}],
    ["gRPC, beyond the window", "application/grpc", envelope(Buffer.alloc(3_000_000)), {}],
    ["gRPC-Web", "application/grpc-web", envelope(tooLong), {}],
    ["Connect, gzip", json, gzipSync(tooLong), { "content-encoding": "gzip" }],
    ["gRPC, gzip", "application/grpc", envelope(gzipSync(tooLong), 1), { "grpc-encoding": "gzip" }],
  ];
  test.each(over)("over HTTP/2, then a good call on the session: %s", async (_, type, body, headers) => {
    // Often enough to use up the session's window if refused bytes were not given back.
    for (let round = 0; round < 12; round++) {
      const answer = await send(`${operator}/Execute`, type, body, headers);
      const told = decodeURIComponent(JSON.stringify([answer.body, answer.headers, answer.trailers]));
      expect(told).toContain(type === json ? "resource_exhausted" : "8");
      expect(told).toContain(limit);
    }
    await expectAlive();
    expect(session.closed).toBe(false);
    expect(running.server.connections()).toBe(2);
    // No stream is left open, or the session would not end.
    session.destroy();
    await vi.waitFor(() => expect(running.server.connections()).toBe(1));
  });

  test.each([1, 8])("over HTTP/2, of a client that resets the stream with code %d", async (code) => {
    for (let round = 0; round < 5; round++) {
      const stream = session.request({
        ":method": "POST",
        ":path": `${operator}/Execute`,
        "content-type": json,
      });
      const closed = new Promise((resolve) => stream.on("close", resolve));
      stream.on("error", () => undefined).resume();
      stream.write(Buffer.alloc(500_000));
      await sleep(round);
      stream.close(code);
      await closed;
    }
    await expectAlive();
    session.close();
    await vi.waitFor(() => expect(running.server.connections()).toBe(1));
  });

  const http1Post = (length: number, more = "") =>
    `POST ${operator}/Execute HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: ${length}\r\n${more}\r\n`;
  const good = `POST ${operator}/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: 2\r\n\r\n{}`;

  test("over HTTP/1.1, then a good call on the connection", async () => {
    const { text, closed } = await sendRaw(running.port, [http1Post(tooLong.length), tooLong, good]);
    expect(text).toMatch(
      /^HTTP\/1\.1 429 .*resource_exhausted.*HTTP\/1\.1 200 OK.*\{"healthy":"healthy"\}$/s,
    );
    expect(closed).toBe(false);
  });

  test("over HTTP/1.1, chunked, then a good call on the connection", async () => {
    const head = http1Post(0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    const parts = [head, "4e20\r\n", tooLong, "\r\n0\r\n\r\n", good];
    const { text, closed } = await sendRaw(running.port, parts);
    expect(text).toMatch(
      /^HTTP\/1\.1 429 .*resource_exhausted.*HTTP\/1\.1 200 OK.*\{"healthy":"healthy"\}$/s,
    );
    expect(closed).toBe(false);
  });

  test.each<[string, string, Uint8Array[]]>([
    ["that stalls", http1Post(20_000), [tooLong.subarray(0, 5_000)]],
    ["that is endless", http1Post(1e9), Array(30).fill(tooLong)],
    ["of a client that closes", http1Post(20_000, "Connection: close\r\n"), [tooLong]],
    [
      "to an unknown path, that stalls",
      http1Post(20_000).replace("Execute", "Nope"),
      [tooLong.subarray(0, 9)],
    ],
  ])("over HTTP/1.1 %s is answered and the connection closed", async (_, head, body) => {
    const { text, closed } = await sendRaw(running.port, [head, ...body], 2_000);
    expect(text).toMatch(/^HTTP\/1\.1 4(29|04) .*(resource_exhausted|unimplemented)/is);
    expect(closed).toBe(true);
    await expectAlive();
  });

  test("of a client that leaves in the middle", async () => {
    const socket = connect({ host: "127.0.0.1", port: running.port });
    socket.write(http1Post(20_000));
    socket.write(tooLong.subarray(0, 5_000));
    await sleep(30);
    socket.resetAndDestroy();
    await expectAlive();
  });
});

describe("a body that does not arrive", () => {
  test("over HTTP/2 ends its stream after the request timeout, not the session", async () => {
    const stream = session.request({
      ":method": "POST",
      ":path": `${operator}/Healthy`,
      "content-type": json,
    });
    stream.on("error", () => undefined);
    stream.write("{");
    await once(stream, "close");
    expect(stream.rstCode).toBe(8);
    await expectAlive();
  });

  test("over HTTP/1.1 is answered with 408", async () => {
    const head = `POST ${operator}/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: 9\r\n\r\n{`;
    const { text, closed } = await sendRaw(running.port, [head], 2_000);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(closed).toBe(true);
    await expectAlive();
  });
});

test.each([
  ["gzip", gzipSync('{"datas":[]}').subarray(0, 20)],
  ["br", brotliCompressSync('{"datas":[]}').subarray(0, 8)],
])("%s data that end too early are the caller's fault", async (encoding, body) => {
  const answer = await send(`${operator}/Execute`, json, body, { "content-encoding": encoding });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toEqual({
    code: "invalid_argument",
    message: `expected complete ${encoding} data, got ${body.length} bytes that end too early`,
  });
  expect(running.logged).toEqual([]);
});

test("a request gate refuses before the body is read, and the connection goes on", async () => {
  const gated = await startGated();
  try {
    const head = `POST ${operator}/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: 2\r\n\r\n{}`;
    const { text } = await sendRaw(gated.port, [head, head]);
    expect(text.match(/HTTP\/1\.1 429/g)).toHaveLength(2);
    expect(gated.server.connections()).toBeLessThan(2);
  } finally {
    await gated.server.close({ graceMs: 0 });
  }
});

function startGated(): Promise<TestServer> {
  const requestGate = vi.fn(() => {
    throw new ConnectError("busy", Code.ResourceExhausted);
  });
  return startTestServer((router) => router.service(Operator, {}), {}, { requestGate });
}

test("an error of a request that comes when its reader has left is heard", async () => {
  const requests: HttpRequest[] = [];
  const contextValues = (request: HttpRequest) => {
    requests.push(request);
    return createContextValues();
  };
  const routes = (router: ConnectRouter) => router.service(Operator, { healthy: () => ({}) });
  const watched = await startTestServer(routes, {}, { contextValues });
  const client = connectHttp2(watched.url);
  try {
    const head = `POST ${operator}/Healthy HTTP/1.1\r\nHost: a\r\nContent-Type: ${json}\r\nContent-Length: 2\r\n\r\n{}`;
    expect((await sendRaw(watched.port, [head])).text).toMatch(/^HTTP\/1\.1 200 OK/);
    const headers = { ":method": "POST", ":path": `${operator}/Healthy`, "content-type": json };
    const stream = client.request(headers);
    stream.resume().end("{}");
    await once(stream, "close");
    expect(requests).toHaveLength(2);
    // As Node does when a client goes; without a listener this throws, and there is nobody to catch it.
    for (const request of requests) request.emit("error", new Error("aborted"));
  } finally {
    client.destroy();
    await watched.server.close({ graceMs: 0 });
  }
});
