import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Code, ConnectError, type ConnectRouter, createContextValues } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import {
  envelope,
  expectAlive,
  guarded,
  json,
  operator,
  send,
  useGuardedServer,
} from "../../../tools/guarded-server.ts";
import { sendRaw } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import type { HttpRequest } from "./http-types.ts";

useGuardedServer();

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
    const response = await fetch(
      `${guarded.running.url}/no.Such/Method?connect=v1&encoding=json&message=%7B%7D`,
    );
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      code: "unimplemented",
      message: "this server has no method /no.Such/Method; it has the services omnisearch.Operator",
    });
  });

  test("a browser", async () => {
    const response = await fetch(`${guarded.running.url}/favicon.ico`);
    expect(response.status).toBe(404);
    expect(await response.text()).toBe(
      "this server has no method /favicon.ico; it has the services omnisearch.Operator\n",
    );
  });
});

describe("the path /", () => {
  test("says what this port speaks", async () => {
    const response = await fetch(guarded.running.url);
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
    const head = await fetch(guarded.running.url, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await fetch(guarded.running.url, { method: "DELETE" });
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
    expect(guarded.running.logged).toEqual(Array(2).fill("error: a call failed inside: an inner secret"));
    await expectAlive();
  });

  test("an internal ConnectError is logged too, any other is the caller's", async () => {
    await send(`${operator}/Execute`, json, '{"datas":["internal"]}');
    expect(guarded.running.logged).toEqual(["error: a call failed inside: [internal] told"]);
    await send(`${operator}/Execute`, json, "{not json");
    expect(guarded.running.logged).toHaveLength(1);
  });
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
