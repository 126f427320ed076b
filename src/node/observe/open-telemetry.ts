import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Attributes, Context } from "@opentelemetry/api";
import { EmbedError } from "../../errors.ts";
import { toSnakeCase } from "./answer-code.ts";
import type { Log } from "./log.ts";
import type { RequestObserver } from "./observe-requests.ts";
import { createFailureReport } from "./open-telemetry-failures.ts";
import type { RequestRecord } from "./request-record.ts";

/** Optional peers: only who wants traces installs them. Versions that were tested together. */
export const tracingPackages = {
  "@opentelemetry/api": "1.10.0",
  "@opentelemetry/sdk-trace": "3.1.1",
  "@opentelemetry/resources": "3.1.1",
  "@opentelemetry/exporter-trace-otlp-proto": "0.301.1",
} as const;

/** How long the last spans may take to leave at shutdown, whatever has become of the collector. */
const flushTimeoutMs = 3_000;

export interface TracingOptions {
  /** Base of the collector's address; without it the exporter reads the OTEL_EXPORTER_OTLP_* variables. */
  readonly endpoint?: string;
  /** Portico's own. */
  readonly version: string;
  readonly log: Log;
}

export interface Tracing {
  readonly observer: RequestObserver;
  /** Sends what is left, for 3 s at most. */
  close(): Promise<void>;
}

/**
 * Sends a trace of each call to an OTLP collector (HTTP, protobuf): a server span under the caller's span, with
 * a child for each stage of the first pictures. Health checks have none. What goes wrong on the way is told to
 * the log once a minute and to no caller.
 * @throws EmbedError `CONFIG_INVALID` if the packages of OpenTelemetry are not installed
 */
export async function openTracing({ endpoint, version, log }: TracingOptions): Promise<Tracing> {
  const { api, sdk, resources, exporter } = await loadPackages();
  const { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } = api;
  const report = createFailureReport(log);
  const quiet = () => undefined;
  api.diag.setLogger(
    { error: report, warn: report, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: api.DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const fromEnvironment = resources.detectResources({
    detectors: [resources.resourceAttributesEnvDetector, resources.serviceNameEnvDetector],
  });
  const url = endpoint === undefined ? {} : { url: `${endpoint.replace(/\/+$/, "")}/v1/traces` };
  // Spans are made when a request has ended; their ids were given out when it began.
  const next = { traceId: "", spanId: "" };
  const provider = new sdk.TracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes({ "service.name": "portico", "service.version": version }))
      .merge(fromEnvironment),
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter: new exporter.OTLPTraceExporter(url) })],
  });
  const tracer = provider.getTracer("portico", version);

  function parentOf({ trace: own }: RequestRecord): Context {
    if (own.parentSpanId === undefined) return ROOT_CONTEXT;
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: own.traceId,
      spanId: own.parentSpanId,
      traceFlags: own.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
      isRemote: true,
      ...(own.traceState !== undefined && { traceState: api.createTraceState(own.traceState) }),
    });
  }

  function addStages(record: RequestRecord, under: Context): void {
    for (const { endedAt, stages } of record.itemTimes) {
      let end = endedAt;
      for (const [stage, ms] of stages.toReversed()) {
        next.spanId = randomBytes(8).toString("hex");
        tracer.startSpan(stage, { startTime: end - ms }, under).end(end);
        end -= ms;
      }
    }
  }

  return {
    observer: {
      onEnd(record) {
        const { method, code, trace: own, startedAt } = record;
        if (method === undefined || code === undefined || method.startsWith("grpc.health.")) return;
        const parent = parentOf(record);
        Object.assign(next, { traceId: own.traceId, spanId: own.spanId });
        const attributes = rpcAttributes(record, code);
        const span = tracer.startSpan(
          method,
          { kind: SpanKind.SERVER, startTime: startedAt, attributes },
          parent,
        );
        addStages(record, trace.setSpan(parent, span));
        if (attributes["error.type"] !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end(startedAt + record.ms);
      },
    },
    async close() {
      const flushed = provider.shutdown().then(() => true, report);
      const late = sleep(flushTimeoutMs, false, { ref: false });
      if ((await Promise.race([flushed, late])) === false) {
        report(`the collector took no last traces within ${flushTimeoutMs} ms`);
      }
    },
  };
}

/**
 * The codes that are a server's own failure, after "Semantic conventions for RPC spans" of OpenTelemetry; the
 * others are the caller's, and leave the status of a server's span unset.
 */
const serverFaults = new Set([
  "Unknown",
  "DeadlineExceeded",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
]);

/** https://opentelemetry.io/docs/specs/semconv/rpc/ (stable names), and two of our own. */
function rpcAttributes(record: RequestRecord, code: string): Attributes {
  const { method, protocol } = record;
  const isConnect = protocol === "connect";
  const connectCode = toSnakeCase(code);
  const grpcCode = code === "Canceled" ? "CANCELLED" : connectCode.toUpperCase();
  const statusCode = isConnect && code !== "OK" ? connectCode : grpcCode;
  return {
    "rpc.system.name": isConnect ? "connectrpc" : "grpc",
    "rpc.method": method,
    "rpc.status_code": statusCode,
    ...(serverFaults.has(code) && { "error.type": statusCode }),
    "client.address": record.peer,
    "network.protocol.name": "http",
    "network.protocol.version": record.httpVersion,
    "portico.items": record.items,
    "portico.request_id": record.requestId,
  };
}

async function loadPackages() {
  try {
    const [api, sdk, resources, exporter] = await Promise.all([
      import("@opentelemetry/api"),
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/resources"),
      import("@opentelemetry/exporter-trace-otlp-proto"),
    ]);
    return { api, sdk, resources, exporter };
  } catch (cause) {
    const wanted = Object.entries(tracingPackages).map(([name, version]) => `${name}@${version}`);
    const mend = `npm install ${wanted.join(" ")}`;
    throw new EmbedError(
      "CONFIG_INVALID",
      `--otlp-endpoint and OTEL_EXPORTER_OTLP_ENDPOINT need packages that cannot be loaded; install them with: ${mend}`,
      { cause },
    );
  }
}
