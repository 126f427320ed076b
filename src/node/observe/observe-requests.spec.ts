import { ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { observed, theRecord, useObservedServer } from "../../../tools/observed-server.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { EmbeddingService } from "../../gen/portico/v1/embedding_pb.ts";

useObservedServer();

const header =
  (name: string, value: string): Interceptor =>
  (next) =>
  (request) => {
    request.header.set(name, value);
    return next(request);
  };
const transports: readonly [string, string, "1.1" | "2", (...more: Interceptor[]) => Transport][] = [
  [
    "gRPC",
    "grpc",
    "2",
    (...interceptors) => createGrpcTransport({ baseUrl: observed.baseUrl, interceptors }),
  ],
  [
    "gRPC-Web over HTTP/1.1",
    "grpc-web",
    "1.1",
    (...interceptors) =>
      createGrpcWebTransport({ baseUrl: observed.baseUrl, httpVersion: "1.1", interceptors }),
  ],
  [
    "gRPC-Web over HTTP/2",
    "grpc-web",
    "2",
    (...interceptors) =>
      createGrpcWebTransport({ baseUrl: observed.baseUrl, httpVersion: "2", interceptors }),
  ],
  [
    "Connect over HTTP/1.1",
    "connect",
    "1.1",
    (...interceptors) =>
      createConnectTransport({ baseUrl: observed.baseUrl, httpVersion: "1.1", interceptors }),
  ],
  [
    "Connect over HTTP/2",
    "connect",
    "2",
    (...interceptors) =>
      createConnectTransport({ baseUrl: observed.baseUrl, httpVersion: "2", interceptors }),
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
    observed.nextStep = step.promise;
    const stream = health().watch({})[Symbol.asyncIterator]();
    await stream.next();
    expect([observed.ended.length, observed.open]).toEqual([0, 1]);
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
    await expect.poll(() => observed.open).toBe(1);
    leave.abort();
    await expect(call).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ ...execution, code: "Canceled" });
  });

  test("a client that leaves a stream", async () => {
    observed.nextStep = new Promise(() => undefined);
    const leave = new AbortController();
    const stream = health().watch({}, { signal: leave.signal })[Symbol.asyncIterator]();
    await stream.next();
    leave.abort();
    await expect(stream.next()).rejects.toThrow();
    expect(await theRecord()).toMatchObject({ code: "Canceled", status: 200 });
  });

  test("a deadline that passes", async () => {
    // Long enough for the call to reach the server.
    await expect(operator().execute({ urls: ["slow"] }, { timeoutMs: 400 })).rejects.toThrow();
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
