import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { askHttp } from "../../../tools/ask-http.ts";
import { http2Frame, http2Headers, http2Hello, sendRaw } from "../../../tools/raw-http.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";
import { createGuardedHandler } from "../http/guarded-handler.ts";
import { createOnePortServer, type OnePortServer } from "../http/one-port-server.ts";
import { observeRequests } from "./observe-requests.ts";
import { currentRequest, type RequestRecord } from "./request-record.ts";

let server: OnePortServer;
let port: number;
let baseUrl: string;
/** Records of requests that have ended, and how many are open. */
let ended: RequestRecord[] = [];
let open = 0;

/** What a stream waits for. */
let nextStep: Promise<void>;

/** `urls` tell what becomes of a call. */
async function execute({ urls }: { readonly urls: readonly string[] }) {
  const [wish = "", size = "1"] = urls;
  if (wish === "inner") throw new Error("an inner secret");
  if (wish === "many") throw new ConnectError("x".repeat(5_000), Code.FailedPrecondition);
  if (wish === "slow") await sleep(10_000, undefined, { ref: false });
  if (wish === "refuse") throw new ConnectError("no", Code.InvalidArgument);
  const record = currentRequest();
  if (record) record.items += 1;
  return { vectors: [{ element: Array.from({ length: Number(size) }, () => 1) }] };
}

beforeAll(async () => {
  const handler = createGuardedHandler({
    log: () => undefined,
    limits: { smallRequestMaxBytes: 100, requestMaxBytesByRpc: {} },
    requestGate({ requestHeader }) {
      if (requestHeader.get("x-refuse")) throw new ConnectError("no entry", Code.PermissionDenied);
    },
    routes(router) {
      router.service(Operator, { execute, identity: () => ({ name: "n" }) });
      router.service(Health, {
        async *watch({ service }, { signal }) {
          yield { status: 1 };
          if (service === "break") throw new ConnectError("x".repeat(5_000), Code.DataLoss);
          await Promise.race([nextStep, once(signal, "abort")]);
          yield { status: 2 };
        },
      });
      router.service(EmbeddingService, {
        async *embedStream(requests) {
          for await (const { id } of requests) yield { id };
        },
      });
    },
  });
  const observer = {
    onStart() {
      open += 1;
    },
    onEnd(record: RequestRecord) {
      open -= 1;
      ended.push(record);
    },
  };
  server = createOnePortServer({ handler: observeRequests(handler, [observer]), log: () => undefined });
  ({ port } = await server.listen({ host: "127.0.0.1", port: 0 }));
  baseUrl = `http://127.0.0.1:${port}`;
});
afterAll(() => server.close({ graceMs: 0 }));
beforeEach(() => {
  ended = [];
});

/** The one request that has ended, once none is open. */
async function theRecord(): Promise<RequestRecord> {
  await vi.waitFor(() => expect([ended.length, open]).toEqual([1, 0]), { timeout: 5_000 });
  return ended[0] as RequestRecord;
}

const header =
  (name: string, value: string): Interceptor =>
  (next) =>
  (request) => {
    request.header.set(name, value);
    return next(request);
  };
const transports: readonly [string, string, "1.1" | "2", (...more: Interceptor[]) => Transport][] = [
  ["gRPC", "grpc", "2", (...interceptors) => createGrpcTransport({ baseUrl, interceptors })],
  [
    "gRPC-Web over HTTP/1.1",
    "grpc-web",
    "1.1",
    (...interceptors) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1", interceptors }),
  ],
  [
    "gRPC-Web over HTTP/2",
    "grpc-web",
    "2",
    (...interceptors) => createGrpcWebTransport({ baseUrl, httpVersion: "2", interceptors }),
  ],
  [
    "Connect over HTTP/1.1",
    "connect",
    "1.1",
    (...interceptors) => createConnectTransport({ baseUrl, httpVersion: "1.1", interceptors }),
  ],
  [
    "Connect over HTTP/2",
    "connect",
    "2",
    (...interceptors) => createConnectTransport({ baseUrl, httpVersion: "2", interceptors }),
  ],
];

describe.each(transports)("%s", (_name, protocol, httpVersion, transport) => {
  const execution = { method: "omnisearch.Operator/Execute", protocol, httpVersion, peer: "127.0.0.1" };
  const operator = (...more: Interceptor[]) => createClient(Operator, transport(...more));
  const health = () => createClient(Health, transport());

  test("a call that succeeds", async () => {
    await operator().execute({ urls: ["fine", "100"] });
    const record = await theRecord();
    expect(record).toMatchObject({ ...execution, code: "OK", status: 200, items: 1 });
    const head = protocol === "connect" ? 0 : 5;
    expect(record.bytesIn).toBe(head + 11);
    expect(record.bytesOut).toBeGreaterThanOrEqual(400);
    expect(record.bytesOut).toBeLessThan(500);
    expect(record.ms).toBeGreaterThan(0);
  });

  test.each([
    ["refused by its method", "refuse", "InvalidArgument"],
    ["refused at such length that the answer is compressed", "many", "FailedPrecondition"],
    ["fails inside", "inner", "Internal"],
    ["over its limit", "x".repeat(101), "ResourceExhausted"],
  ])("a call that is %s", async (_what, wish, code) => {
    await expect(operator().execute({ urls: [wish] })).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ ...execution, code, items: 0 });
  });

  test.each([
    ["a gate", "x-refuse", "1", "PermissionDenied"],
    ["a malformed deadline", "connect-timeout-ms grpc-timeout", "soon", "InvalidArgument"],
  ])("a call that is refused before its method, by %s", async (_what, names, value, code) => {
    const more = names.split(" ").map((name) => header(name, value));
    await expect(operator(...more).execute({ urls: [] })).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ ...execution, code, items: 0 });
  });

  test("a method that is not served", async () => {
    await expect(createClient(Operator, transport()).healthy({})).rejects.toThrow();
    // Connect answers for the methods of a service that has them; this one's path is unknown.
    const { code } = await theRecord();
    expect(code).toBe("Unimplemented");
  });

  test("a stream, when it ends", async () => {
    const step = Promise.withResolvers<void>();
    nextStep = step.promise;
    const stream = health().watch({})[Symbol.asyncIterator]();
    await stream.next();
    expect([ended.length, open]).toEqual([0, 1]);
    step.resolve();
    await stream.next();
    expect((await stream.next()).done).toBe(true);
    const method = "grpc.health.v1.Health/Watch";
    const record = await theRecord();
    expect(record).toMatchObject({ method, protocol, httpVersion, code: "OK", status: 200 });
    expect(record.bytesOut).toBeGreaterThanOrEqual(14);
  });

  test("a stream that breaks", async () => {
    const read = async () => {
      for await (const { status } of health().watch({ service: "break" })) expect(status).toBe(1);
    };
    await expect(read()).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ code: "DataLoss", status: 200 });
  });

  test("a stream both ways, which needs HTTP/2", async () => {
    async function* requests() {
      yield { id: "a" };
      yield { id: "b" };
    }
    const read = async () => {
      for await (const _ of createClient(EmbeddingService, transport()).embedStream(requests()));
    };
    const refusal = await read().catch((error: unknown) => error);
    const [code, status] = httpVersion === "2" ? ["OK", 200] : ["Unknown", 505];
    expect(ConnectError.from(refusal ?? "").rawMessage).toBe(httpVersion === "2" ? "" : "HTTP 505");
    expect(await theRecord()).toMatchObject({ code, status });
  });

  test("a client that leaves", async () => {
    const leave = new AbortController();
    const call = operator().execute({ urls: ["slow"] }, { signal: leave.signal });
    await vi.waitFor(() => expect(open).toBe(1));
    leave.abort();
    await expect(call).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ ...execution, code: "Canceled" });
  });

  test("a client that leaves a stream", async () => {
    nextStep = new Promise(() => undefined);
    const leave = new AbortController();
    const stream = health().watch({}, { signal: leave.signal })[Symbol.asyncIterator]();
    await stream.next();
    leave.abort();
    await expect(stream.next()).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ code: "Canceled", status: 200 });
  });

  test("a deadline that passes", async () => {
    await expect(operator().execute({ urls: ["slow"] }, { timeoutMs: 100 })).rejects.toThrow();
    expect(["DeadlineExceeded", "Canceled"]).toContain((await theRecord()).code);
  });

  test("the request id goes back, the trace goes on", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    let got = new Headers();
    const more = [
      header("x-request-id", "mine-7"),
      header("traceparent", `00-${traceId}-b7ad6b7169203331-01`),
      header("tracestate", "a=b"),
    ];
    await operator(...more).identity({}, { onHeader: (headers) => (got = headers) });
    expect(got.get("x-request-id")).toBe("mine-7");
    const { requestId, trace } = await theRecord();
    expect(requestId).toBe("mine-7");
    expect(trace).toMatchObject({ traceId, parentSpanId: "b7ad6b7169203331", traceState: "a=b" });
  });
});

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
    await sendRaw(port, [request]);
    expect(await theRecord()).toMatchObject({ method: undefined, httpVersion: "1.1", ...expected });
  });

  test("an odd request id is replaced", async () => {
    const head = "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b<c>\r\n\r\n";
    const { text } = await sendRaw(port, [head]);
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
    const { text } = await sendRaw(port, [request]);
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
  const text = await (await fetch(baseUrl + path)).text();
  expect(text.length).toBeGreaterThan(50);
  expect(await theRecord()).toMatchObject({ status, bytesOut: Buffer.byteLength(text), httpVersion: "1.1" });

  ended = [];
  const { body } = await askHttp("2", `127.0.0.1:${port}`, { path });
  expect(body).toBe(text);
  expect(await theRecord()).toMatchObject({ status, bytesOut: Buffer.byteLength(text), httpVersion: "2" });
});

test("the answer to HEAD has no bytes", async () => {
  await fetch(baseUrl, { method: "HEAD" });
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
  await sendRaw(port, [Buffer.concat([http2Hello, ...storm])]);
  await vi.waitFor(() => expect(open).toBe(0));
  expect(ended.length).toBeLessThanOrEqual(4);
  for (const { code } of ended) expect([undefined, "Canceled"]).toContain(code);
});

test("connections that are reset with the packet that holds their request end nothing", async () => {
  const fields = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/"],
    [":authority", "h"],
  ] as const;
  for (let count = 0; count < 50; count++) {
    const socket = connectTcp(port, "127.0.0.1");
    await once(socket, "connect");
    const request =
      count % 2
        ? "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
        : Buffer.concat([http2Hello, http2Headers(1, fields, true)]);
    socket.write(request);
    if (count % 4 < 2) socket.resetAndDestroy();
    else setImmediate(() => socket.resetAndDestroy());
  }
  await vi.waitFor(() => expect(open).toBe(0), { timeout: 5_000 });
  await createClient(Operator, createGrpcTransport({ baseUrl })).identity({});
});

test("connections that break in the middle of a request are counted out again", async () => {
  const half = "POST /omnisearch.Operator/Execute HTTP/1.1\r\nHost: h\r\nContent-Type: application/proto\r\n";
  const socket = connectTcp(port, "127.0.0.1");
  socket.write(`${half}Content-Length: 50\r\n\r\nabc`);
  await vi.waitFor(() => expect(open).toBe(1));
  socket.destroy();
  expect(await theRecord()).toMatchObject({ code: "Canceled", protocol: "connect", bytesIn: 3 });

  ended = [];
  const session = connectHttp2(baseUrl);
  const stream = session.request({
    ":method": "POST",
    ":path": "/omnisearch.Operator/Execute",
    "content-type": "application/grpc",
  });
  stream.on("error", () => undefined);
  stream.write("\0\0\0\0");
  await vi.waitFor(() => expect(open).toBe(1));
  session.destroy();
  expect(await theRecord()).toMatchObject({ code: "Canceled", protocol: "grpc" });
});
