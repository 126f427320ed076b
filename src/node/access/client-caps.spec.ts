import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2, constants } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { type ClientCap, clientOfAddress, createClientCap } from "./client-caps.ts";
import { clientCapGate, clientContextValues } from "./client-caps-gate.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::ffff:c000:207", "192.0.2.7"],
  ["::1", "0:0:0:0::/64"],
  ["2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"],
  ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["no address", "unknown"],
  [undefined, "unknown"],
])("%s is the client %s", (address, client) => {
  expect(clientOfAddress(address)).toBe(client);
});

test("a cap counts each client by itself and forgets those that have left", () => {
  const cap = createClientCap(2);
  expect([cap.enter("a"), cap.enter("a"), cap.enter("a"), cap.enter("b")]).toEqual([true, true, false, true]);
  cap.leave("a");
  expect(cap.enter("a")).toBe(true);
  for (const client of ["a", "a", "b"]) cap.leave(client);
  expect(cap.clients()).toBe(0);
});

let running: TestServer;
afterEach(() => running?.server.close({ graceMs: 0 }));

describe("connections of one client", () => {
  const open = async (localAddress: string) => {
    const socket = connect({ host: "127.0.0.1", port: running.port, localAddress });
    await once(socket, "connect");
    return socket;
  };
  const isClosed = (socket: Socket) =>
    new Promise<boolean>((resolve) => {
      socket.on("error", () => undefined).on("data", () => resolve(false));
      socket.once("close", () => resolve(true));
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    });

  test("beyond the limit are closed, until one ends; others are not concerned", async () => {
    running = await startTestServer(() => undefined, { maxConnectionsPerClient: 2 });
    const first = await open("127.0.0.1");
    const second = await open("127.0.0.1");
    await expect.poll(() => running.server.connections()).toBe(2);
    for (let n = 0; n < 3; n++) expect(await isClosed(await open("127.0.0.1"))).toBe(true);
    expect(running.logged).toEqual(["warn: connections of a client are refused"]);
    expect(running.server.connections()).toBe(2);

    expect(await isClosed(await open("127.0.0.2"))).toBe(false);
    first.destroy();
    await expect.poll(() => running.server.connections()).toBe(2);
    expect(await isClosed(await open("127.0.0.1"))).toBe(false);
    second.destroy();
  });

  test("are not limited by default", async () => {
    running = await startTestServer(() => undefined);
    const sockets = await Promise.all(Array.from({ length: 200 }, () => open("127.0.0.1")));
    await expect.poll(() => running.server.connections()).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

describe("calls in flight of one client", () => {
  const max = 3;
  const waiting = new Set<() => void>();
  let cap: ClientCap;
  const start = async () => {
    waiting.clear();
    cap = createClientCap(max);
    running = await startTestServer(
      (router) =>
        router.service(Operator, {
          healthy: () => ({ healthy: "healthy" }),
          execute: (_, { signal }) =>
            new Promise((resolve) => {
              waiting.add(() => resolve({}));
              signal.addEventListener("abort", () => resolve({}));
            }),
        }),
      {},
      { contextValues: clientContextValues, requestGate: clientCapGate(cap, max) },
    );
  };

  function call(session: ClientHttp2Session, method: string, contentType: string, body: string | Buffer) {
    const path = `/omnisearch.Operator/${method}`;
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": contentType });
    stream.on("error", () => undefined).end(body);
    return stream;
  }
  async function answerOf(stream: ReturnType<typeof call>) {
    let trailers = {};
    stream.on("trailers", (got) => {
      trailers = got;
    });
    const [headers] = await once(stream, "response");
    let text = "";
    for await (const chunk of stream) text += chunk.toString("latin1");
    return { headers: { ...headers, ...trailers }, text };
  }
  const json = "application/json";
  const refusal =
    "OVERLOADED: expected at most 3 calls in flight from one client (--max-streams-per-client), got one more from 127.0.0.1";

  test("beyond the limit are refused in the protocol's own form, over all connections together", async () => {
    await start();
    const sessions = [connectHttp2(running.url), connectHttp2(running.url)] as const;
    const open = [0, 1, 0].map((at) => call(sessions[at] as ClientHttp2Session, "Execute", json, "{}"));
    await expect.poll(() => waiting.size).toBe(max);

    const connectAnswer = await answerOf(call(sessions[1], "Healthy", json, "{}"));
    expect(connectAnswer.headers).toMatchObject({ ":status": 429, "retry-after": "1" });
    expect(JSON.parse(connectAnswer.text)).toMatchObject({ code: "resource_exhausted", message: refusal });
    const grpc = await answerOf(call(sessions[1], "Healthy", "application/grpc", Buffer.alloc(5)));
    expect(grpc.headers).toMatchObject({ ":status": 200, "grpc-status": "8", "grpc-message": refusal });
    const web = await answerOf(call(sessions[0], "Healthy", "application/grpc-web", Buffer.alloc(5)));
    expect(web.headers).toMatchObject({ ":status": 200, "grpc-status": "8", "grpc-message": refusal });
    const http1 = await fetch(`${running.url}/omnisearch.Operator/Healthy`, {
      method: "POST",
      headers: { "content-type": json },
      body: "{}",
    });
    expect([http1.status, (await http1.json()).code]).toEqual([429, "resource_exhausted"]);

    for (const finish of waiting) finish();
    await Promise.all(open.map(answerOf));
    await expect.poll(() => cap.clients()).toBe(0);
    expect((await answerOf(call(sessions[0], "Healthy", json, "{}"))).headers[":status"]).toBe(200);
    for (const session of sessions) session.destroy();
    expect(running.logged).toEqual([]);
  });

  test("are counted no more when they were answered, reset, cut off or refused", async () => {
    await start();
    for (let round = 0; round < 30; round++) {
      const session = connectHttp2(running.url);
      session.on("error", () => undefined);
      const streams = Array.from({ length: 2 * max }, (_, at) =>
        call(session, at % 2 ? "Execute" : "Healthy", at % 3 ? json : "application/grpc", "{}"),
      );
      if (round % 3 === 0) for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL);
      if (round % 3 === 1) await new Promise((resolve) => setTimeout(resolve, 5));
      session.destroy();
    }
    await expect.poll(() => running.server.connections()).toBe(0);
    await expect.poll(() => cap.clients()).toBe(0);
  });
});
