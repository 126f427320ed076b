import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** A span as it came over the wire; times are Unix nanoseconds. */
export interface ReceivedSpan {
  readonly resource: Readonly<Record<string, string | number>>;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 0 unset, 1 OK, 2 error. */
  readonly status: number;
}

export interface OtlpCollector {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Path and content type of each request. */
  readonly requests: readonly string[];
  close(): void;
}

/**
 * An OTLP collector on a free port of 127.0.0.1, which reads protobuf over HTTP and keeps the spans.
 * @param answer its HTTP status for each request; 0 never answers
 */
export async function startOtlpCollector(answer = 200): Promise<OtlpCollector> {
  const spans: ReceivedSpan[] = [];
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    requests.push(`${request.url} ${request.headers["content-type"]}`);
    spans.push(...parseTraces(body));
    if (answer !== 0) response.writeHead(answer, { "content-type": "application/x-protobuf" }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Values by field number, in order; bytes, or a number of any width. */
type Fields = ReadonlyMap<number, (Uint8Array | bigint | number)[]>;

function readFields(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields = new Map<number, (Uint8Array | bigint | number)[]>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const value =
      type === WireType.LengthDelimited
        ? reader.bytes()
        : type === WireType.Varint
          ? Number(reader.int64())
          : type === WireType.Bit64
            ? BigInt(reader.fixed64())
            : reader.fixed32();
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, number: number) =>
  (fields.get(number) ?? []).map((bytes) => readFields(bytes as Uint8Array));
const bytesOf = (fields: Fields, number: number) =>
  Buffer.from((fields.get(number)?.[0] ?? new Uint8Array()) as Uint8Array);

/** opentelemetry/proto/collector/trace/v1/trace_service.proto, trace/v1/trace.proto */
function parseTraces(body: Uint8Array): ReceivedSpan[] {
  return messages(readFields(body), 1).flatMap((resourceSpans) => {
    const resource = Object.assign(
      {},
      ...messages(resourceSpans, 1).map((fields) => attributesOf(fields, 1)),
    );
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => toSpan(span, resource));
  });
}

function toSpan(span: Fields, resource: ReceivedSpan["resource"]): ReceivedSpan {
  return {
    resource,
    traceId: bytesOf(span, 1).toString("hex"),
    spanId: bytesOf(span, 2).toString("hex"),
    traceState: bytesOf(span, 3).toString(),
    parentSpanId: bytesOf(span, 4).toString("hex"),
    name: bytesOf(span, 5).toString(),
    kind: Number(span.get(6)?.[0] ?? 0),
    start: span.get(7)?.[0] as bigint,
    end: span.get(8)?.[0] as bigint,
    attributes: attributesOf(span, 9),
    status: Number(messages(span, 15)[0]?.get(3)?.[0] ?? 0),
  };
}

/** common/v1/common.proto: a KeyValue has a key and an AnyValue, here a text or an integer. */
function attributesOf(fields: Fields, number: number): Record<string, string | number> {
  return Object.fromEntries(
    messages(fields, number).map((pair) => {
      const value = messages(pair, 2)[0] ?? new Map();
      return [
        bytesOf(pair, 1).toString(),
        value.has(1) ? bytesOf(value, 1).toString() : Number(value.get(3)?.[0]),
      ];
    }),
  );
}
