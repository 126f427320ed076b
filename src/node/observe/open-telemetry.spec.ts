import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { type ReceivedSpan, startOtlpCollector } from "../../../tools/otlp-collector.ts";
import { startPortico } from "../../../tools/start-portico.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { packageFile } from "../package-file.ts";
import { tracingPackages } from "./open-telemetry.ts";
import { createFailureReport } from "./open-telemetry-failures.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const caller = "b7ad6b7169203331";

/** A caller in the middle of a trace. */
const traced: Interceptor = (next) => (request) => {
  request.header.set("traceparent", `00-${traceId}-${caller}-01`);
  request.header.set("tracestate", "congo=t61rcWkgMzE");
  return next(request);
};
/** A caller that does not record this one. */
const unsampled: Interceptor = (next) => (request) => {
  request.header.set("traceparent", `00-${traceId}-${caller}-00`);
  return next(request);
};

describe("spans in a collector", () => {
  test("of calls over each protocol", async () => {
    const collector = await startOtlpCollector();
    const server = await startPortico({
      args: ["--workers", "1"],
      // The slash at the end is not doubled.
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, OTEL_SERVICE_NAME: "pictures" },
    });
    const baseUrl = `http://${server.address}`;
    const photo = await readFile(packageFile("fixtures/images/photo/allium-oreophilum.jpg"), "base64");
    const client = (transport: Transport) => createClient(Operator, transport);
    const interceptors = [traced];
    await client(createGrpcTransport({ baseUrl, interceptors })).execute({ datas: [photo, photo] });
    await client(createGrpcWebTransport({ baseUrl, httpVersion: "1.1", interceptors })).identity({});
    const connect = createConnectTransport({ baseUrl, httpVersion: "2" });
    await expect(client(connect).execute({ datas: ["!"] })).rejects.toThrow();
    await client(createGrpcTransport({ baseUrl, interceptors: [unsampled] })).identity({});
    await createClient(Health, connect).check({});
    // No call: another content type than any protocol has.
    const junk = await fetch(`${baseUrl}/omnisearch.Operator/Identity`, { method: "POST", body: "a" });
    expect(junk.status).toBe(415);
    // The spans are sent at the end, if not before.
    expect(await server.stop()).toBe(0);
    collector.close();

    expect(new Set(collector.requests)).toEqual(new Set(["/v1/traces application/x-protobuf"]));
    const servers = collector.spans.filter(({ kind }) => kind === 2);
    expect(servers.map(toFacts)).toEqual([
      {
        name: "omnisearch.Operator/Execute",
        traceId,
        parentSpanId: caller,
        traceState: "congo=t61rcWkgMzE",
        status: 0,
        system: "grpc",
        code: "OK",
        error: undefined,
        items: 2,
        http: "2",
      },
      {
        name: "omnisearch.Operator/Identity",
        traceId,
        parentSpanId: caller,
        traceState: "congo=t61rcWkgMzE",
        status: 0,
        system: "grpc",
        code: "OK",
        error: undefined,
        items: 0,
        http: "1.1",
      },
      {
        name: "omnisearch.Operator/Execute",
        traceId: expect.stringMatching(/^(?!0af765)[0-9a-f]{32}$/),
        parentSpanId: "",
        traceState: "",
        status: 0,
        system: "connectrpc",
        code: "invalid_argument",
        error: undefined,
        items: 1,
        http: "2",
      },
    ]);
    const { resource, spanId, start, end } = servers[0] as ReceivedSpan;
    expect(resource).toMatchObject({ "service.name": "pictures", "service.version": "0.1.0" });

    const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === spanId);
    const names = ["queue", "decode", "preprocess", "infer"];
    expect(children.map(({ name }) => name).sort()).toEqual([...names, ...names].sort());
    for (const child of children) {
      expect(child.traceId).toBe(traceId);
      // Stages are placed by the clock at their end; a millisecond is what clocks may differ by.
      expect(child.start).toBeGreaterThan(start - 1_000_000n);
      expect(child.end).toBeLessThan(end + 1_000_000n);
    }
    const spanIds = new Set(collector.spans.map((span) => span.spanId));
    expect(spanIds.size).toBe(collector.spans.length);

    // The same ids in the log.
    const line = server.log.find(
      ({ msg, method }) => msg === "request" && method === servers[2]?.name && true,
    );
    expect(line).toBeDefined();
    const logged = server.log.filter(({ msg }) => msg === "request").map((request) => request.traceId);
    for (const span of servers) expect(logged).toContain(span.traceId);
  });
});

function toFacts({ name, traceId, parentSpanId, traceState, status, attributes }: ReceivedSpan) {
  return {
    name,
    traceId,
    parentSpanId,
    traceState,
    status,
    system: attributes["rpc.system.name"],
    code: attributes["rpc.status_code"],
    error: attributes["error.type"],
    items: attributes["portico.items"],
    http: attributes["network.protocol.version"],
  };
}

describe("a collector that fails", () => {
  test.each([
    ["refuses everything", "refuses"],
    ["never answers", "silent"],
  ])("a collector that %s breaks no call and does not stop the shutdown", async (_, kind) => {
    const collector = await startOtlpCollector(kind === "silent" ? 0 : 400);
    const server = await startPortico({ args: ["--workers", "1", "--otlp-endpoint", collector.url] });
    const client = createClient(Operator, createGrpcTransport({ baseUrl: `http://${server.address}` }));
    for (let count = 0; count < 20; count++) await client.identity({});
    const complaints = () => server.log.filter(({ msg }) => msg === "traces were not sent");
    expect(await server.stop()).toBe(0);
    await expect.poll(() => complaints().length).toBe(1);
    collector.close();
  });
});

test("one line a minute tells of failures, and how many there were", () => {
  const lines: unknown[] = [];
  let now = 0;
  const report = createFailureReport(
    { warn: (fields: object) => void lines.push(fields) } as never,
    () => now,
  );
  report(new Error("no route"));
  for (now = 1; now < 60_000; now += 10_000) report(JSON.stringify({ stack: "at x", message: "gone" }));
  expect(lines).toEqual([{ failures: 1, why: "no route" }]);
  now = 60_000;
  report("dropped", 3, "spans");
  expect(lines[1]).toEqual({ failures: 7, why: "dropped 3 spans" });
});

describe("what is asked for and cannot be had", () => {
  test("without the packages, one line says what to install", async () => {
    const hook = `import { registerHooks } from "node:module";
      registerHooks({ resolve(name, context, next) {
        if (!/^@opentelemetry\\/(sdk|exporter)/.test(name)) return next(name, context);
        throw Object.assign(new Error("Cannot find package " + name), { code: "ERR_MODULE_NOT_FOUND" });
      } });`;
    const start = startPortico({
      args: ["--otlp-endpoint", "http://127.0.0.1:4318"],
      env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(hook)}` },
    });
    await expect(start).rejects.toThrow(
      "portico ended with exit code 2: portico: --otlp-endpoint and OTEL_EXPORTER_OTLP_ENDPOINT need packages " +
        "that cannot be loaded; install them with: npm install @opentelemetry/api@1.10.0 " +
        "@opentelemetry/sdk-trace@3.1.1 @opentelemetry/resources@3.1.1 " +
        "@opentelemetry/exporter-trace-otlp-proto@0.301.1\n",
    );
  });

  test("the named versions are those that are tested here", () => {
    for (const [name, version] of Object.entries(tracingPackages)) {
      const file = packageFile(`node_modules/${name}/package.json`);
      expect([name, JSON.parse(readFileSync(file, "utf8")).version]).toEqual([name, version]);
    }
  });
});
