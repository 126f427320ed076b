import { once } from "node:events";
import { connect } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askHttp } from "../../../tools/ask-http.ts";
import { sendRaw } from "../../../tools/raw-http.ts";
import { type LogLine, type PorticoProcess, startPortico } from "../../../tools/start-portico.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";

let server: PorticoProcess;
let port: number;

beforeAll(async () => {
  server = await startPortico({
    args: ["--workers", "1", "--log-level", "debug", "--cors-origins", "http://shop.example"],
  });
  port = Number(server.address.split(":").at(-1));
});
afterAll(() => server?.stop());

/** The line of the one request with this id. */
async function lineOf(requestId: string): Promise<LogLine> {
  const lines = () => server.log.filter((line) => line.msg === "request" && line.requestId === requestId);
  await expect.poll(lines).toHaveLength(1);
  return lines()[0] as LogLine;
}

const withId = (id: string) => ({ headers: { "x-request-id": id } });
const always = {
  time: expect.any(Number),
  pid: expect.any(Number),
  msg: "request",
  traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  ms: expect.any(Number),
  peer: "127.0.0.1",
};

test("a line says who, what, how it went and how much, and nothing of what was sent", async () => {
  const secret = "http://127.0.0.1:1/private/path.png?token=hush";
  const client = createClient(Operator, createGrpcTransport({ baseUrl: `http://${server.address}` }));
  const call = client.execute(
    { urls: [secret, secret] },
    { headers: { "x-request-id": "line-1", authorization: "Bearer hush", cookie: "hush" } },
  );
  await expect(call).rejects.toThrow();
  expect(await lineOf("line-1")).toEqual({
    ...always,
    level: 30,
    requestId: "line-1",
    method: "omnisearch.Operator/Execute",
    protocol: "grpc",
    code: "InvalidArgument",
    status: 200,
    items: 2,
    bytesIn: 5 + 2 * (2 + secret.length),
    bytesOut: 0,
    httpVersion: "2",
  });
  const log = JSON.stringify(server.log);
  expect(log).not.toContain("hush");
  expect(log).not.toContain("private/path");
});

test("a call by GET is logged without its message, which is in its path", async () => {
  const client = createClient(
    Operator,
    createConnectTransport({ baseUrl: `http://${server.address}`, httpVersion: "1.1" }),
  );
  await client.identity({}, withId("line-2"));
  expect(await lineOf("line-2")).toMatchObject({ protocol: "connect", code: "OK", httpVersion: "1.1" });
  await sendRaw(port, ["GET /secret-path?secret=query HTTP/1.1\r\nHost: h\r\nX-Request-Id: line-3\r\n\r\n"]);
  expect(await lineOf("line-3")).toEqual({
    ...always,
    level: 30,
    requestId: "line-3",
    status: 404,
    items: 0,
    bytesIn: 0,
    bytesOut: expect.any(Number),
    httpVersion: "1.1",
  });
  expect((await lineOf("line-3")).bytesOut).toBeGreaterThan(50);
  expect(JSON.stringify(server.log)).not.toContain("secret");
});

test("probes that find all well are of level debug", async () => {
  const transport = createGrpcTransport({ baseUrl: `http://${server.address}` });
  const health = createClient(Health, transport);
  await health.check({}, withId("probe-1"));
  expect(await lineOf("probe-1")).toMatchObject({ level: 20, method: "grpc.health.v1.Health/Check" });
  await expect(health.check({ service: "nobody" }, withId("probe-2"))).rejects.toThrow();
  expect(await lineOf("probe-2")).toMatchObject({ level: 30, code: "NotFound" });
  await fetch(`http://${server.address}/readyz`, withId("probe-3"));
  expect(await lineOf("probe-3")).toMatchObject({ level: 20, status: 200 });
});

test.each(["/", "/livez", "/readyz", "/metrics"])(
  "the line of page %s has its path and size",
  async (path) => {
    const requestId = `page${path.replace("/", "-")}.`;
    const answer = await fetch(`http://${server.address}${path}?hush`, withId(requestId));
    const bytesOut = (await answer.arrayBuffer()).byteLength;
    expect(await lineOf(requestId)).toMatchObject({ level: 20, path, status: 200, bytesOut });
    expect(JSON.stringify(server.log)).not.toContain("?hush");
  },
);

test("a preflight that is refused has its size", async () => {
  const headers = {
    origin: "http://stranger.example",
    "access-control-request-method": "POST",
    "x-request-id": "preflight-1",
  };
  const path = "/omnisearch.Operator/Execute";
  const { status, body } = await askHttp("1.1", server.address, { method: "OPTIONS", path, headers });
  expect([status, body.length > 50]).toEqual([403, true]);
  expect(await lineOf("preflight-1")).toMatchObject({ status, bytesOut: body.length });
});

test("a client that leaves has its line", async () => {
  const socket = connect(port, "127.0.0.1");
  const head = "POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: h\r\nX-Request-Id: line-4\r\n";
  socket.write(`${head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"datas":`);
  await once(socket, "connect");
  const metrics = async () => (await fetch(`http://${server.address}/metrics`)).text();
  // The request for metrics, and the half one.
  await expect.poll(metrics).toContain("\nportico_requests_in_flight 2\n");
  socket.destroy();
  const line = await lineOf("line-4");
  expect(line).toMatchObject({ level: 30, code: "Canceled", protocol: "connect", bytesIn: 9 });
  expect(line).not.toHaveProperty("status");
});

test("--access-log off writes none", async () => {
  const quiet = await startPortico({
    args: ["--workers", "1", "--access-log", "off"],
    until: "listening; the model is loading",
  });
  const client = createClient(Operator, createGrpcTransport({ baseUrl: `http://${quiet.address}` }));
  await client.identity({});
  await quiet.stop();
  expect(quiet.log.map(({ msg }) => msg)).not.toContain("request");
});
