import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sendRaw } from "../../../tools/raw-http.ts";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { createGuardedHandler } from "../http/guarded-handler.ts";
import type { HttpLimits } from "../http/http-limits.ts";
import { createOnePortServer, type OnePortServer } from "../http/one-port-server.ts";
import { checkTlsTexts } from "./tls-files.ts";

const authority = createTestAuthority();
const { certPem, keyPem } = authority.issue("server", ["127.0.0.1"]);
let server: OnePortServer;
let port: number;
let logged: [level: string, message: string, fields: object][];

async function start(limits: Partial<HttpLimits> = {}, clientCa?: string): Promise<void> {
  const texts = { cert: certPem, key: keyPem, ...(clientCa && { clientCa }) };
  const routes = createGuardedHandler({
    routes: (router) => router.service(Operator, {}),
    log: () => undefined,
  });
  logged = [];
  server = createOnePortServer({
    handler: routes,
    log: (...line) => logged.push(line),
    limits,
    tls: checkTlsTexts(texts, { certFile: "", keyFile: "" }),
  });
  ({ port } = await server.listen({ host: "127.0.0.1", port: 0 }));
}
beforeEach(() => start());
afterEach(() => server.close({ graceMs: 0 }));

const failed = (why: string) => [["warn", "a TLS handshake failed", { why, peer: "127.0.0.1" }]];

test("the log says whose handshake failed: plain text", async () => {
  await sendRaw(port, ["GET / HTTP/1.1\r\n\r\n"], 2_000);
  expect(logged).toEqual(failed("ERR_SSL_HTTP_REQUEST"));
});

test("the log says whose handshake failed: silence", async () => {
  await server.close({ graceMs: 0 });
  await start({ tlsHandshakeTimeoutMs: 100 });
  await sendRaw(port, [], 5_000);
  expect(logged).toEqual(failed("not done within 100 ms"));
});

test("the log says whose handshake failed: no client certificate", async () => {
  await server.close({ graceMs: 0 });
  await start({}, authority.certPem);
  const socket = connect({ port, host: "127.0.0.1", ca: authority.certPem });
  socket.on("error", () => undefined).resume();
  await expect.poll(() => logged).toHaveLength(1);
  expect(logged).toEqual(failed("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"));
});

test("the page / tells how to call a port with TLS, over both versions of HTTP", async () => {
  const page = [
    "Portico: a picture in, its embedding vector out.",
    "This port speaks gRPC, gRPC-Web and Connect, over HTTP/1.1 and HTTP/2 with TLS.",
    "Services: omnisearch.Operator",
    "Try: grpcurl -cacert CA.pem HOST:PORT list",
    "",
  ].join("\n");
  const url = `https://127.0.0.1:${port}`;
  const [response] = await once(get(url, { ca: authority.certPem, agent: false }), "response");
  expect(await text(response)).toBe(page);
  const session = connectHttp2(url, { ca: authority.certPem });
  expect(await text(session.request({ ":path": "/" }))).toBe(page);
  session.destroy();
});
