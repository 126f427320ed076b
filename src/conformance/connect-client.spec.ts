import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { freePort } from "../../tools/loopback-port.ts";
import { HealthyReplySchema, HealthyRequestSchema } from "../gen/omnisearch/operator_pb.ts";
import { Code } from "../gen/portico/conformance/v1/suite_pb.ts";
import { type ConnectCodec, createConnectClient } from "./connect-client.ts";
import { createFetchPost, createH2cPost, type HttpPost, type HttpReply } from "./http-post.ts";

const call = (http: HttpPost, codec: ConnectCodec = "proto") =>
  createConnectClient(http, codec).call({
    service: "omnisearch.Operator",
    method: "Healthy",
    input: HealthyRequestSchema,
    output: HealthyReplySchema,
    request: create(HealthyRequestSchema),
    timeoutMs: 1000,
  });

/** The answer of a server that sends exactly this. */
function answer(status: number, type: string, body: Uint8Array | string): HttpPost {
  const reply: HttpReply = {
    status,
    headers: new Map([["content-type", type]]),
    body: new Uint8Array(Buffer.from(body)),
  };
  return { post: () => Promise.resolve(reply), close: () => Promise.resolve() };
}

const message = toBinary(HealthyReplySchema, create(HealthyReplySchema, { healthy: "healthy" }));

test("a message in either codec", async () => {
  const reply = { kind: "reply", reply: { healthy: "healthy" } };
  expect(await call(answer(200, "application/proto", message))).toMatchObject(reply);
  const json = answer(200, "application/json; charset=utf-8", '{"healthy":"healthy"}');
  expect(await call(json, "json")).toMatchObject(reply);
});

test("an error with a detail", async () => {
  const body = '{"code":"invalid_argument","message":"bad","details":[{"type":"a.B","value":"AQI"}]}';
  expect(await call(answer(400, "application/json", body))).toMatchObject({
    kind: "error",
    code: Code.INVALID_ARGUMENT,
    message: "bad",
    details: [{ typeUrl: "type.googleapis.com/a.B", value: new Uint8Array([1, 2]) }],
  });
});

test.each([404, 501])("an unknown method with HTTP %i", async (status) => {
  const outcome = await call(answer(status, "application/json", '{"code":"unimplemented"}'));
  expect(outcome).toMatchObject({ kind: "error", code: Code.UNIMPLEMENTED });
});

test("an HTTP status without a Connect error", async () => {
  expect(await call(answer(404, "text/plain", "nothing here"))).toEqual({
    kind: "error",
    code: Code.UNIMPLEMENTED,
    message: "nothing here",
    details: [],
  });
});

describe("broken", () => {
  test.each([
    ["another codec", 200, "application/json", "{}", 'expected application/proto, got "application/json"'],
    [
      "a status that does not go with the code",
      500,
      "application/json",
      '{"code":"invalid_argument"}',
      "code invalid_argument goes with HTTP 400, got 500",
    ],
    [
      "a code that does not exist",
      400,
      "application/json",
      '{"code":"bad_request"}',
      '"bad_request" is none of Connect\'s codes',
    ],
    [
      "JSON that is no error",
      400,
      "application/json",
      '{"error":"bad"}',
      'HTTP 400 with a body that is no Connect error: {"error":"bad"}',
    ],
    [
      "details that are none",
      400,
      "application/json",
      '{"code":"internal","details":[{"type":1}]}',
      'HTTP 400 with a body that is no Connect error: {"code":"internal","details":[{"type":1}]}',
    ],
  ])("%s", async (_, status, type, body, text) => {
    expect(await call(answer(status, type, body))).toEqual({ kind: "broken", message: text });
  });

  test.each([
    ["fetch", createFetchPost],
    ["h2c", createH2cPost],
  ])("nobody listens: %s", async (_, createPost) => {
    const port = await freePort();
    const http = createPost(`127.0.0.1:${port}`);
    expect(await call(http)).toEqual({
      kind: "broken",
      message: expect.stringContaining(`connect ECONNREFUSED 127.0.0.1:${port}`),
    });
    await http.close();
  });
});
