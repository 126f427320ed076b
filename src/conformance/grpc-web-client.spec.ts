import { create, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { HealthyReplySchema, HealthyRequestSchema } from "../gen/omnisearch/operator_pb.ts";
import { RpcStatusSchema } from "../gen/portico/conformance/v1/rpc_status_pb.ts";
import { Code } from "../gen/portico/conformance/v1/suite_pb.ts";
import { BatchFailureSchema } from "../gen/portico/v1/errors_pb.ts";
import { createGrpcWebClient } from "./grpc-web-client.ts";
import type { HttpPost, HttpReply } from "./http-post.ts";

const message = toBinary(HealthyReplySchema, create(HealthyReplySchema, { healthy: "healthy" }));

function frame(flags: number, bytes: Uint8Array | string): Buffer {
  const content = Buffer.from(bytes);
  const head = Buffer.alloc(5);
  head.writeUInt8(flags);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

/** The answer of a server that sends exactly this. */
function answer(body: Uint8Array, headers: Record<string, string> = {}, status = 200): HttpPost {
  const fields = new Map(Object.entries({ "content-type": "application/grpc-web+proto", ...headers }));
  const reply: HttpReply = { status, headers: fields, body: new Uint8Array(body) };
  return { post: () => Promise.resolve(reply), close: () => Promise.resolve() };
}

const call = (http: HttpPost) =>
  createGrpcWebClient(http).call({
    service: "omnisearch.Operator",
    method: "Healthy",
    input: HealthyRequestSchema,
    output: HealthyReplySchema,
    request: create(HealthyRequestSchema),
    timeoutMs: 1000,
  });

test("a message and its trailers", async () => {
  const body = Buffer.concat([frame(0, message), frame(0x80, "grpc-status: 0\r\n")]);
  expect(await call(answer(body))).toMatchObject({ kind: "reply", reply: { healthy: "healthy" } });
});

test("an error with details in the trailers", async () => {
  const failure = create(BatchFailureSchema, {
    items: [{ index: 3, reason: "IMAGE_CORRUPT", message: "cut" }],
  });
  const status = create(RpcStatusSchema, {
    code: 3,
    message: "bad",
    details: [anyPack(BatchFailureSchema, failure)],
  });
  const details = Buffer.from(toBinary(RpcStatusSchema, status)).toString("base64").replace(/=+$/, "");
  const text = `Grpc-Status: 3\r\ngrpc-message: bad%20item\r\ngrpc-status-details-bin: ${details}\r\n`;
  const outcome = await call(answer(frame(0x80, text)));
  expect(outcome).toMatchObject({ kind: "error", code: Code.INVALID_ARGUMENT, message: "bad item" });
  expect(outcome.kind === "error" && outcome.details.map(({ typeUrl }) => typeUrl)).toEqual([
    "type.googleapis.com/portico.v1.BatchFailure",
  ]);
});

test("an error in the headers alone, and an HTTP status without gRPC", async () => {
  const empty = new Uint8Array(0);
  expect(await call(answer(empty, { "grpc-status": "12" }))).toMatchObject({ code: Code.UNIMPLEMENTED });
  expect(await call(answer(empty, { "content-type": "text/plain" }, 404))).toMatchObject({
    kind: "error",
    code: Code.UNIMPLEMENTED,
  });
});

test.each([
  ["no trailers", frame(0, message), "no grpc-status, neither in a trailers frame nor in the headers"],
  ["no message", frame(0x80, "grpc-status: 0\r\n"), "expected one message, got 0"],
  [
    "two messages",
    Buffer.concat([frame(0, message), frame(0, message), frame(0x80, "grpc-status:0")]),
    "expected one message, got 2",
  ],
  ["half a header", Buffer.from([0, 0, 0]), "the body ends inside a frame header, at byte 0"],
  ["half a frame", frame(0, message).subarray(0, 9), "a frame claims to end at byte 14, the body has 9"],
  ["a compressed frame", frame(1, message), "a frame is compressed though no compression was offered"],
  ["an unknown status", frame(0x80, "grpc-status: 99"), 'grpc-status "99" is none of gRPC\'s'],
  ["a line that is no trailer", frame(0x80, "grpc-status"), '"grpc-status" is not a trailer'],
])("broken: %s", async (_, body, message_) => {
  expect(await call(answer(body))).toEqual({ kind: "broken", message: message_ });
});

test("broken: another content type", async () => {
  expect(await call(answer(new Uint8Array(0), { "content-type": "application/json" }))).toEqual({
    kind: "broken",
    message: 'expected application/grpc-web+proto, got "application/json"',
  });
});

test("broken: details that contradict the status", async () => {
  const status = Buffer.from(toBinary(RpcStatusSchema, create(RpcStatusSchema, { code: 5 }))).toString(
    "base64",
  );
  const body = frame(0x80, `grpc-status: 3\r\ngrpc-status-details-bin: ${status}\r\n`);
  expect(await call(answer(body))).toEqual({
    kind: "broken",
    message: "grpc-status is 3, but grpc-status-details-bin holds code 5",
  });
});
