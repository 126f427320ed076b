import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { calls, envelope, post, send, webTrailers } from "../../../tools/send-message.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import {
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { addReflection } from "../../service/reflection.ts";

const inEveryWay = calls.map((call) => [`${call.protocol}, ${call.codec}, ${call.encoding}`, call] as const);
const inProto = inEveryWay.filter(([, { codec }]) => codec === "proto");

const execute = "omnisearch.Operator/Execute";
const identity = "omnisearch.Operator/Identity";
const reflectionV1 = "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const datas = (count: number, codec: string) =>
  codec === "json"
    ? Buffer.from(JSON.stringify({ datas: Array(count).fill("") }))
    : Buffer.alloc(2 * count, "\x12\0");
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

let running: TestServer;
let session: ClientHttp2Session;
beforeAll(async () => {
  running = await startTestServer(
    (router) => {
      router.service(Operator, {
        execute: (request) => ({ nums: BigInt(request.$unknown?.length ?? request.datas.length) }),
        identity: () => ({ name: "n".repeat(2_000) }),
      });
      addReflection(router);
    },
    { messageMaxElements: 10, messageMaxDepth: 4 },
  );
  session = connect(running.url);
});
afterAll(async () => {
  session.destroy();
  await running.server.close({ graceMs: 0 });
});

describe("a message of as many elements as allowed, and of one more", () => {
  test.each(inEveryWay)("%s", async (_, call) => {
    const isJson = call.codec === "json";
    const most = isJson ? 9 : 10;
    const reply = isJson ? `{"nums":"${most}"}` : `\x08${String.fromCharCode(most)}`;
    const ended = await send(session, execute, call, datas(most, call.codec));
    expect(ended).toMatchObject({ code: "ok", message: expect.stringContaining(reply) });
    const elements = isJson ? "brackets, braces and commas" : "fields";
    expect(await send(session, execute, call, datas(most + 1, call.codec))).toEqual({
      code: "resource_exhausted",
      message: `REQUEST_TOO_LARGE: expected at most 10 ${elements} in one message, got at least 11`,
    });
  });
});

describe("malformed protobuf is the caller's fault", () => {
  const expected = "REQUEST_INVALID: expected omnisearch.ExecuteRequest in protobuf's wire format, got";
  test.each(inProto)("%s", async (_, call) => {
    expect(await send(session, execute, call, hex("12 7f 41"))).toEqual({
      code: "invalid_argument",
      message: `${expected} 3 bytes that are not: premature EOF`,
    });
    expect(await send(session, execute, call, hex("12 02 fffe"))).toEqual({
      code: "invalid_argument",
      message: `${expected} 4 bytes that are not: the field datas is not UTF-8`,
    });
  });

  test("in a call that streams", async () => {
    const headers = { "content-type": "application/grpc" };
    const { head, trailers } = await post(session, reflectionV1, headers, [envelope(hex("3a 7f"))]);
    expect({ ...head, ...trailers }).toMatchObject({
      "grpc-status": "3",
      "grpc-message":
        "REQUEST_INVALID: expected grpc.reflection.v1.ServerReflectionRequest in protobuf's wire format, got 2 bytes that are not: premature EOF",
    });
  });
});

const tooLong =
  /^message (size (is|\d+ is)|is) larger than configured readMaxBytes 1024( after decompression)?$/;

test("over HTTP/1.1 a refused message leaves the connection to the next call", async () => {
  const ask = (message: Uint8Array) =>
    fetch(`${running.url}/${execute}`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web" },
      body: Uint8Array.from(envelope(message)),
    });
  for (const [message, status] of [
    [hex("12 7f 41"), "3"],
    [datas(11, "proto"), "8"],
    [datas(2, "proto"), "0"],
  ] as const) {
    const response = await ask(message);
    const trailers = webTrailers(Buffer.from(await response.arrayBuffer()));
    expect(response.headers.get("grpc-status") ?? trailers["grpc-status"]).toBe(status);
  }
});

describe("an RPC that takes a name or nothing takes 1 KiB and no more", () => {
  test.each(inEveryWay)("%s", async (_, call) => {
    const message = (bytes: number) => {
      if (call.codec === "json") return Buffer.from(`{"x":"${"y".repeat(bytes - 8)}"}`);
      // Field 15, unknown, of a length that takes two bytes itself.
      const length = bytes - 3;
      const head = [0x7a, 0x80 | (length & 0x7f), length >> 7];
      return Buffer.concat([Buffer.from(head), Buffer.alloc(length)]);
    };
    expect(await send(session, identity, call, message(1_024))).toMatchObject({ code: "ok" });
    const { code, message: text } = await send(session, identity, call, message(1_025));
    expect(code).toBe("resource_exhausted");
    expect(text).toMatch(tooLong);
  });
});

test("unknown fields are dropped", async () => {
  const call = { protocol: "connect", codec: "proto", encoding: "identity" } as const;
  expect(await send(session, execute, call, hex("12 00 78 01 12 00"))).toEqual({
    code: "ok",
    message: "\x08\x02",
  });
});

describe("envelopes", () => {
  const headers = { "content-type": "application/grpc" };
  const message = envelope(datas(3, "proto"));
  const cases: [string, Uint8Array[], object, object][] = [
    ["in pieces of one byte", [...message].map((byte) => Uint8Array.of(byte)), {}, { "grpc-status": "0" }],
    ["without content", [envelope(Buffer.alloc(0))], {}, { "grpc-status": "0" }],
    [
      "compressed without content",
      [envelope(Buffer.alloc(0), 1)],
      { "grpc-encoding": "gzip" },
      { "grpc-status": "0" },
    ],
    [
      "compressed without content, and another one",
      [Buffer.concat([envelope(Buffer.alloc(0), 1), message])],
      { "grpc-encoding": "gzip" },
      {
        "grpc-status": "12",
        "grpc-message": "protocol error: received extra input message for unary method",
      },
    ],
    [
      "uncompressed where they may be compressed",
      [message],
      { "grpc-encoding": "gzip" },
      { "grpc-status": "0" },
    ],
    [
      "none",
      [],
      {},
      { "grpc-status": "12", "grpc-message": "protocol error: missing input message for unary method" },
    ],
    [
      "two where one belongs",
      [Buffer.concat([message, message])],
      {},
      {
        "grpc-status": "12",
        "grpc-message": "protocol error: received extra input message for unary method",
      },
    ],
    [
      "cut off",
      [message.subarray(0, 8)],
      {},
      { "grpc-status": "3", "grpc-message": "protocol error: incomplete envelope" },
    ],
    [
      "cut off in the head",
      [message.subarray(0, 3)],
      {},
      { "grpc-status": "3", "grpc-message": "protocol error: incomplete envelope" },
    ],
    // gRPC's own rule: INTERNAL.
    [
      "compressed without a name",
      [envelope(message, 1)],
      {},
      {
        "grpc-status": "13",
        "grpc-message": "received compressed envelope, but do not know how to decompress",
      },
    ],
    [
      "compressed in an unknown way",
      [envelope(message, 1)],
      { "grpc-encoding": "zstd" },
      { "grpc-status": "12", "grpc-message": 'unknown compression "zstd": supported encodings are gzip,br' },
    ],
    [
      "with a flag that means nothing",
      [envelope(datas(11, "proto"), 4)],
      {},
      {
        "grpc-status": "8",
        "grpc-message": "REQUEST_TOO_LARGE: expected at most 10 fields in one message, got at least 11",
      },
    ],
  ];
  test.each(cases)("%s", async (_, pieces, more, expected) => {
    const { head, trailers } = await post(session, execute, { ...headers, ...more }, pieces);
    expect({ ...head, ...trailers }).toMatchObject(expected);
  });

  test("with trailers of a gRPC-Web client", async () => {
    const pieces = [message, envelope(Buffer.from("x: y\r\n"), 0x80)];
    const { body } = await post(session, execute, { "content-type": "application/grpc-web" }, pieces);
    expect(webTrailers(body)).toMatchObject({ "grpc-status": "0" });
  });

  test("are handed on one by one while the call goes on", async () => {
    const stream = session.request({ ":method": "POST", ":path": `/${reflectionV1}`, ...headers });
    const request = create(ServerReflectionRequestSchema, {
      messageRequest: { case: "listServices", value: "" },
    });
    const bytes = envelope(toBinary(ServerReflectionRequestSchema, request));
    for (let round = 0; round < 2; round++) {
      stream.write(bytes.subarray(0, 4));
      await sleep(20);
      stream.write(bytes.subarray(4));
      const [chunk] = await once(stream, "data");
      const { messageResponse } = fromBinary(ServerReflectionResponseSchema, chunk.subarray(5));
      expect(messageResponse.case).toBe("listServicesResponse");
    }
    stream.end();
    await once(stream, "close");
  });
});

describe("a compressed Connect call", () => {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  test("without accept-encoding is answered in its own encoding", async () => {
    const { head } = await post(session, identity, headers, [gzipSync("{}")]);
    expect(head).toMatchObject({ ":status": 200, "content-encoding": "gzip" });
  });

  test("that wants no encoding gets none", async () => {
    const more = { ...headers, "accept-encoding": "identity" };
    const { head, body } = await post(session, identity, more, [gzipSync("{}")]);
    expect(head["content-encoding"]).toBeUndefined();
    expect(JSON.parse(body.toString()).name).toHaveLength(2_000);
  });

  test("of an unknown encoding is refused", async () => {
    const more = { ...headers, "content-encoding": "zstd" };
    const { body } = await post(session, execute, more, [Buffer.from("anything")]);
    expect(JSON.parse(body.toString())).toEqual({
      code: "unimplemented",
      message: 'unknown compression "zstd": supported encodings are gzip,br',
    });
  });
});
