import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent, request as httpsRequest } from "node:https";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { fromBinary } from "@bufbuild/protobuf";
import { ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Client, credentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendRaw } from "../../../tools/raw-http.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { createTestAuthority, type TestCertificate } from "../../../tools/test-certificates.ts";
import { HealthyReplySchema, Operator } from "../../gen/omnisearch/operator_pb.ts";
import type { HttpLimits } from "../http/http-limits.ts";
import { checkTlsTexts } from "./tls-files.ts";

const authority = createTestAuthority();
const hosts = ["localhost", "127.0.0.1"];
const first = authority.issue("first", hosts);
const second = authority.issue("second", hosts);

/** Identity answers with what the server takes the call's URL for. */
const routes: Parameters<typeof startTestServer>[0] = (router) =>
  router.service(Operator, {
    healthy: () => ({ healthy: "healthy" }),
    identity: (_, { url }) => ({ endpoint: url }),
    execute: async ({ datas }) => {
      await sleep(Number(datas[0] ?? 0));
      return {};
    },
  });

const toMaterial = ({ certPem, keyPem }: TestCertificate, clientCa?: string) =>
  checkTlsTexts({ cert: certPem, key: keyPem, ...(clientCa && { clientCa }) }, { certFile: "", keyFile: "" });

let running: TestServer;
async function start(limits: Partial<HttpLimits> = {}, clientCa?: string): Promise<void> {
  await running?.server.close({ graceMs: 0 });
  running = await startTestServer(routes, limits, {}, toMaterial(first, clientCa));
}
beforeEach(() => start());
afterEach(() => running.server.close({ graceMs: 0 }));

const path = "/omnisearch.Operator/Healthy";
const json = { "content-type": "application/json" };

/** One call by HTTP/1.1, on a connection of its own unless there is an agent. */
async function callHttp1(options: ConnectionOptions = {}, agent?: Agent): Promise<string> {
  const request = httpsRequest(`${running.url}${path}`, {
    method: "POST",
    headers: json,
    ca: authority.certPem,
    agent: agent ?? false,
    ...options,
  });
  request.end("{}");
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}
/** A reset is one way to close. */
const closeOf = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.on("error", () => undefined).once("close", () => resolve());
  });
const healthy = '{"healthy":"healthy"}';

describe("every client works over TLS", () => {
  const nodeOptions = { ca: authority.certPem };
  const transports = (baseUrl: string) => ({
    "Connect, HTTP/1.1": createConnectTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
    "Connect, HTTP/2": createConnectTransport({ baseUrl, httpVersion: "2", nodeOptions }),
    "gRPC-Web, HTTP/1.1": createGrpcWebTransport({ baseUrl, httpVersion: "1.1", nodeOptions }),
    "gRPC-Web, HTTP/2": createGrpcWebTransport({ baseUrl, httpVersion: "2", nodeOptions }),
    gRPC: createGrpcTransport({ baseUrl, nodeOptions }),
  });
  test.each(Object.keys(transports("https://localhost")) as (keyof ReturnType<typeof transports>)[])(
    "%s",
    async (name) => {
      const client = createClient(Operator, transports(running.url)[name]);
      expect(await client.healthy({})).toMatchObject({ healthy: "healthy" });
      const { endpoint } = await client.identity({});
      expect(endpoint).toBe(`${running.url}/omnisearch.Operator/Identity`);
    },
  );

  test("grpc-js with the authority's certificate", async () => {
    const client = new Client(
      `127.0.0.1:${running.port}`,
      credentials.createSsl(Buffer.from(authority.certPem)),
    );
    const reply = await new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => fromBinary(HealthyReplySchema, bytes),
        Buffer.alloc(0),
        (error, value) => (error ? reject(error) : resolve(value)),
      );
    });
    client.close();
    expect(reply).toMatchObject({ healthy: "healthy" });
  });

  test.each([
    [["h2", "http/1.1"], "h2"],
    [["http/1.1"], "http/1.1"],
    [undefined, false],
  ])("ALPN %j gives %s", async (ALPNProtocols, chosen) => {
    const socket = connectTls({
      port: running.port,
      host: "127.0.0.1",
      ca: authority.certPem,
      ...(ALPNProtocols && { ALPNProtocols }),
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe(chosen);
    socket.destroy();
  });

  test("a client that offers only unknown protocols is refused", async () => {
    const socket = connectTls({
      port: running.port,
      host: "127.0.0.1",
      ca: authority.certPem,
      ALPNProtocols: ["spdy/3"],
    });
    const [error] = await once(socket, "error");
    expect(error.code).toBe("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
    expect(await callHttp1()).toBe(healthy);
  });

  test("TLS 1.1 is refused", async () => {
    const socket = connectTls({
      port: running.port,
      host: "127.0.0.1",
      ca: authority.certPem,
      minVersion: "TLSv1.1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT:@SECLEVEL=0",
    });
    const [error] = await once(socket, "error");
    expect(error.code).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/);
    expect(await callHttp1({ maxVersion: "TLSv1.2" })).toBe(healthy);
  });
});

describe("a port with TLS", () => {
  test.each<[string, (string | Uint8Array)[]]>([
    ["an HTTP/1.1 request", [`GET / HTTP/1.1\r\nHost: a\r\n\r\n`]],
    ["the preface of HTTP/2", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]],
    ["garbage", ["\0\x01\x02garbage, and more of it than a record's head"]],
    ["a record that is too long", [Buffer.from("160301ffff01", "hex")]],
  ])("closes the connection on %s in plain text", async (_, parts) => {
    const { text, closed } = await sendRaw(running.port, parts, 2_000);
    expect(closed).toBe(true);
    // At most a TLS alert.
    expect([undefined, 0x15]).toContain(Buffer.from(text, "latin1")[0]);
    expect([0, 7]).toContain(text.length);
    await expect.poll(() => running.server.connections()).toBe(0);
    expect(await callHttp1()).toBe(healthy);
  });

  test("tells of many such connections once", async () => {
    for (let n = 0; n < 20; n++) await sendRaw(running.port, ["GET / HTTP/1.1\r\n\r\n"], 2_000);
    expect(running.logged).toEqual(["warn: a TLS handshake failed"]);
  });

  test("says nothing of a probe that connects and leaves", async () => {
    for (const leave of ["destroy", "resetAndDestroy", "end"] as const) {
      const socket = connectTcp({ port: running.port, host: "127.0.0.1" });
      await once(socket, "connect");
      socket[leave]();
    }
    await expect.poll(() => running.server.connections()).toBe(0);
    expect(running.logged).toEqual([]);
  });

  test.each<[string, (string | Uint8Array)[], number]>([
    ["silence", [], 0],
    ["half a hello", [Buffer.from("16030100c8010000c40303", "hex")], 0],
    // Each byte would renew a timeout that counts silence only.
    ["a hello of one byte each 30 ms", Array(20).fill(Buffer.from("16030100c8010000", "hex")), 30],
  ])("ends a handshake that never does: %s", async (_, parts, pauseMs) => {
    await start({ tlsHandshakeTimeoutMs: 600 });
    const socket = connectTcp({ port: running.port, host: "127.0.0.1" });
    const closed = closeOf(socket.resume());
    for (const byte of Buffer.concat(parts.map((part) => Buffer.from(part)))) {
      if (socket.destroyed) break;
      socket.write(Buffer.from([byte]));
      if (pauseMs) await sleep(pauseMs);
    }
    await closed;
    expect(running.logged).toEqual(["warn: a TLS handshake failed"]);
    expect(await callHttp1()).toBe(healthy);
  });
});

describe("a new certificate", () => {
  const subjectOf = async () => {
    const socket = connectTls({ port: running.port, host: "127.0.0.1", ca: authority.certPem });
    await once(socket, "secureConnect");
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };

  test("is for new connections; open ones of both versions go on", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.certPem });
    const session = connectHttp2(running.url, { ca: authority.certPem });
    const opened = once(session, "remoteSettings");
    const client = createClient(
      Operator,
      createConnectTransport({
        baseUrl: running.url,
        httpVersion: "2",
        nodeOptions: { ca: authority.certPem },
      }),
    );
    expect(await callHttp1({}, agent)).toBe(healthy);
    await opened;
    const inFlight = client.execute({ datas: ["300"] });
    expect(await subjectOf()).toBe("first");
    const before = running.server.connections();

    running.server.replaceTls(toMaterial(second));
    expect(await subjectOf()).toBe("second");
    expect(await callHttp1({}, agent)).toBe(healthy);
    const stream = session.request({ ":method": "POST", ":path": path, ...json });
    const [headers] = await Promise.all([once(stream, "response"), stream.end("{}")]);
    expect(headers[0][":status"]).toBe(200);
    expect(await inFlight).toMatchObject({ nums: 0n });
    await expect.poll(() => running.server.connections()).toBeLessThanOrEqual(before);
    session.destroy();
    agent.destroy();
  });
});

describe("with a client authority", () => {
  const member = authority.issue("member");
  const stranger = createTestAuthority("Somebody else").issue("stranger");
  beforeEach(() => start({}, authority.certPem));

  test("a client that it certified is served, over HTTP/1.1 and HTTP/2", async () => {
    const shown = { ca: authority.certPem, cert: member.certPem, key: member.keyPem };
    expect(await callHttp1(shown)).toBe(healthy);
    const transport = createGrpcTransport({ baseUrl: running.url, nodeOptions: shown });
    expect(await createClient(Operator, transport).healthy({})).toMatchObject({ healthy: "healthy" });
  });

  test.each<[string, ConnectionOptions]>([
    ["no certificate", {}],
    ["no certificate, TLS 1.2", { maxVersion: "TLSv1.2" }],
    ["a stranger's", { cert: stranger.certPem, key: stranger.keyPem }],
    ["a stranger's, TLS 1.2", { cert: stranger.certPem, key: stranger.keyPem, maxVersion: "TLSv1.2" }],
  ])("%s is refused", async (_, shown) => {
    // Which error it is depends on how far the client had come when the connection was closed.
    await expect(callHttp1(shown)).rejects.toThrow();
    const transport = createGrpcTransport({
      baseUrl: running.url,
      nodeOptions: { ca: authority.certPem, ...shown },
    });
    await expect(createClient(Operator, transport).healthy({})).rejects.toThrow(ConnectError);
    expect(running.logged).toEqual(["warn: a TLS handshake failed"]);
    await expect.poll(() => running.server.connections()).toBe(0);
  });

  test("a session of a refused client cannot be resumed", async () => {
    const sessions: Buffer[] = [];
    const options = { port: running.port, host: "127.0.0.1", ca: authority.certPem };
    const refused = connectTls({ ...options, cert: stranger.certPem, key: stranger.keyPem });
    refused.on("session", (session: Buffer) => sessions.push(session));
    await closeOf(refused);
    for (const session of [...sessions, undefined]) {
      const again = connectTls({ ...options, ...(session && { session }) });
      again.write(`POST ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      let got = "";
      again.on("data", (chunk) => {
        got += chunk;
      });
      await closeOf(again);
      expect(got).toBe("");
    }
  });
});
