import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendRaw } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { ExecuteRequestSchema, Operator } from "../../gen/omnisearch/operator_pb.ts";
import { bearerGate, parseTokens } from "../access/bearer-tokens.ts";

const token = "right-".repeat(6);
const mebibyte = Buffer.alloc(2 ** 20);
const path = "/omnisearch.Operator/Execute";

let running: TestServer;
beforeAll(async () => {
  const hashes = parseTokens(token);
  running = await startTestServer(
    (router) => router.service(Operator, { execute: ({ datas }) => ({ nums: BigInt(datas.length) }) }),
    {},
    { requestGate: bearerGate({ current: () => hashes }) },
  );
});
afterAll(async () => {
  await running.server.close({ graceMs: 0 });
  expect(running.logged).toEqual([]);
});

const head = (authorization: string, length: number, more = "") =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${authorization}\r\nContent-Length: ${length}\r\n${more}\r\n`;
const body = '{"datas":["x"]}';
const goodCall = head(token, body.length) + body;

/** What `socket` gets until `pattern` is in it. */
async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let got = "";
  for await (const [chunk] of iterate(socket)) {
    got += chunk.toString("latin1");
    if (pattern.test(got)) return got;
  }
  throw new Error(`the connection ended after ${got}`);
}
async function* iterate(socket: Socket): AsyncGenerator<[Buffer]> {
  const signal = AbortSignal.timeout(20_000);
  while (true) yield (await once(socket, "data", { signal })) as [Buffer];
}

describe("a wrong token over HTTP/1.1", () => {
  test("with 100 MiB behind it is refused before they are sent, and a good call follows", async () => {
    const socket = connect({ host: "127.0.0.1", port: running.port });
    socket.write(head("wrong", 100 * 2 ** 20));
    socket.write(mebibyte);
    // 99 MiB are still to come.
    expect(await readUntil(socket, /\}$/)).toMatch(/^HTTP\/1\.1 401 .*"code":"unauthenticated"/s);
    for (let sent = 1; sent < 100; sent++) {
      if (!socket.write(mebibyte)) await once(socket, "drain");
    }
    socket.write(goodCall);
    expect(await readUntil(socket, /\}$/)).toMatch(/^HTTP\/1\.1 200 OK.*\{"nums":"1"\}$/s);
    socket.destroy();
  });

  test("of a client that waits for 100 Continue gets its 401 without the body", async () => {
    const { text, closed } = await sendRaw(
      running.port,
      [head("wrong", 100 * 2 ** 20, "Expect: 100-continue\r\n")],
      20_000,
    );
    expect(text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n.*\r\nConnection: close\r\n.*"unauthenticated"/s);
    expect(text).not.toContain("100 Continue");
    // Whoever sends no body must not be taken for one who sends the next request.
    expect(closed).toBe(true);
  });

  test("with a right one, 100 Continue comes first", async () => {
    const socket = connect({ host: "127.0.0.1", port: running.port });
    socket.write(head(token, body.length, "expect: 100-Continue\r\n"));
    expect(await readUntil(socket, /\r\n\r\n/)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(body);
    expect(await readUntil(socket, /\}$/)).toMatch(/^HTTP\/1\.1 200 OK.*\{"nums":"1"\}$/s);
    socket.destroy();
  });

  test("a body that came without waiting is not read as the next request", async () => {
    const smuggled = goodCall.replace("Execute", "Identity");
    const parts = [head("wrong", smuggled.length, "Expect: 100-continue\r\n") + smuggled];
    const { text } = await sendRaw(running.port, parts, 20_000);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
  });

  test("HTTP/1.0 knows no 100 Continue", async () => {
    const old = (authorization: string) =>
      head(authorization, body.length, "Expect: 100-continue\r\n").replace("HTTP/1.1", "HTTP/1.0") + body;
    expect((await sendRaw(running.port, [old(token)], 20_000)).text).toMatch(/^HTTP\/1\.1 200 .*"nums":"1"/s);
    expect((await sendRaw(running.port, [old("wrong")], 20_000)).text).toMatch(/^HTTP\/1\.1 401 /);
  });

  test("Expect on a path that is no method, and one that nobody knows", async () => {
    const unknown = head(token, 9, "Expect: 100-continue\r\n").replace("Execute", "Nope");
    expect((await sendRaw(running.port, [unknown], 20_000)).text).toMatch(/^HTTP\/1\.1 404 /);
    const odd = head(token, 9, "Expect: tea\r\n");
    expect((await sendRaw(running.port, [odd], 300)).text).toMatch(/^HTTP\/1\.1 417 /);
  });
});

describe("over HTTP/2", () => {
  const envelope = (bytes: Uint8Array) => {
    const start = Buffer.alloc(5);
    start.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([start, bytes]);
  };
  const goodBody = envelope(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { datas: ["x"] })));

  test.each([
    ["Connect", "application/json", "{}"],
    ["gRPC", "application/grpc", goodBody],
    ["gRPC-Web", "application/grpc-web+proto", goodBody],
  ])("%s: wrong tokens with a large body leave the session as it was", async (_, contentType, goodBytes) => {
    // Node's client counts what it could not send against its own limit, 10 MB by default, and then stops.
    const session = connectHttp2(running.url, { maxSessionMemory: 1_000 });
    const request = (authorization: string, more = {}) =>
      session.request({
        ":method": "POST",
        ":path": path,
        "content-type": contentType,
        authorization: `Bearer ${authorization}`,
        ...more,
      });
    for (let round = 0; round < 20; round++) {
      const stream = request("wrong");
      stream.write(Buffer.alloc(3 * 2 ** 20));
      let trailers = {};
      stream.on("trailers", (got) => {
        trailers = got;
      });
      const [headers] = await once(stream, "response");
      const answer = await text(stream);
      const isConnect = contentType === "application/json";
      expect(headers[":status"]).toBe(isConnect ? 401 : 200);
      const told = decodeURIComponent(JSON.stringify([headers, trailers]) + answer).toLowerCase();
      expect(told).toMatch(isConnect ? /"code":"unauthenticated"/ : /grpc-status"?: ?"?16\b/);
      expect(told).toContain("got an unknown token");
      if (!stream.closed) await once(stream, "close");
      expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
    }
    const good = request(token);
    good.end(goodBytes);
    const [headers] = await once(good, "response");
    expect(headers[":status"]).toBe(200);
    expect(headers["grpc-status"]).toBeUndefined();
    await text(good);
    session.destroy();
  });

  test("100 Continue comes for a right token only", async () => {
    const session = connectHttp2(running.url);
    const ask = async (authorization: string) => {
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/json",
        authorization: `Bearer ${authorization}`,
        expect: "100-continue",
      });
      let continued = false;
      stream.on("continue", () => {
        continued = true;
        stream.end(body);
      });
      const [headers] = await once(stream, "response");
      await text(stream);
      return [headers[":status"], continued];
    };
    expect(await ask("wrong")).toEqual([401, false]);
    expect(await ask(token)).toEqual([200, true]);
    session.destroy();
  });
});
