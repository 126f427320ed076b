import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { buffer } from "node:stream/consumers";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { Client, credentials } from "@grpc/grpc-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { envelope, webTrailers } from "../../../tools/send-message.ts";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ExecuteRequestSchema, Operator } from "../../gen/omnisearch/operator_pb.ts";
import { BatchFailureSchema } from "../../gen/portico/v1/errors_pb.ts";

const messageOf = (length: number) => `näh: ${"x".repeat(length)}`;
let calls = 0;
let running: TestServer;
let session: ClientHttp2Session;

beforeAll(async () => {
  running = await startTestServer((router) => {
    router.service(Operator, {
      execute({ datas: [what = ""] }) {
        calls += 1;
        if (what === "second" && calls % 2 === 0) return { nums: 0n };
        const items = [{ index: 0, message: messageOf(10) }];
        throw new ConnectError(messageOf(Number(what) || 0), Code.Unavailable, { "x-more": "1" }, [
          { desc: BatchFailureSchema, value: { items } },
        ]);
      },
    });
    router.service(ServerReflection, {
      async *serverReflectionInfo(requests, context) {
        for await (const { host } of requests) {
          if (host === "b") context.responseHeader.set("x-own", "1");
          if (host !== "a") throw new ConnectError("gone", Code.Unavailable);
          yield { validHost: host };
        }
      },
    });
  });
  session = connect(running.url);
});
afterAll(async () => {
  session.destroy();
  await running.server.close({ graceMs: 0 });
  expect(running.logged).toEqual([]);
});

interface Answer {
  readonly head: IncomingHttpHeaders;
  readonly endsWithHead: boolean;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function ask(path: string, headers: Record<string, string>, message: Uint8Array): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (got) => {
    trailers = got;
  });
  stream.end(message);
  const [head, flags] = (await once(stream, "response")) as [IncomingHttpHeaders, number];
  const endsWithHead = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
  const body = await buffer(stream);
  if (!stream.closed) await once(stream, "close");
  return { head, endsWithHead, trailers, body };
}

const execute = (what: string, headers: Record<string, string>) =>
  ask(
    "/omnisearch.Operator/Execute",
    headers,
    envelope(Buffer.from(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { datas: [what] })))),
  );

test.each([
  ["gRPC", { "content-type": "application/grpc" }, "10"],
  [
    "gRPC, with a message that would be compressed",
    { "content-type": "application/grpc+proto", "grpc-accept-encoding": "gzip" },
    "2500",
  ],
  ["gRPC-Web", { "content-type": "application/grpc-web+proto" }, "10"],
  [
    "gRPC-Web, compressed",
    { "content-type": "application/grpc-web", "grpc-accept-encoding": "gzip" },
    "2500",
  ],
])(
  "a call that fails at once has its status in the headers, and nothing else: %s",
  async (_, headers, length) => {
    const { head, endsWithHead, trailers, body } = await execute(length, headers);
    expect(head).toMatchObject({
      ":status": 200,
      "grpc-status": "14",
      "grpc-message": `n%C3%A4h: ${"x".repeat(Number(length))}`,
      "grpc-status-details-bin": expect.any(String),
      "x-more": "1",
    });
    expect({ endsWithHead, trailers, body: body.length }).toEqual({
      endsWithHead: true,
      trailers: {},
      body: 0,
    });
  },
);

test("a status too long for headers stays where it was", async () => {
  const web = await execute("9000", { "content-type": "application/grpc-web+proto" });
  expect(web.head).not.toHaveProperty("grpc-status");
  expect(webTrailers(web.body)["grpc-status"]).toBe("14");
  const grpc = await execute("9000", { "content-type": "application/grpc" });
  expect(grpc.head).not.toHaveProperty("grpc-status");
  expect(grpc.trailers["grpc-status"]).toBe("14");
});

test("a call that works, or fails after a message, ends with trailers", async () => {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const host = envelope(Buffer.from([0x0a, 1, 0x61]));
  const none = envelope(Buffer.alloc(0));
  const grpc = { "content-type": "application/grpc" };
  const works = await ask(path, grpc, Buffer.concat([host, host]));
  expect(works.head).not.toHaveProperty("grpc-status");
  expect(works.trailers["grpc-status"]).toBe("0");
  const fails = await ask(path, grpc, Buffer.concat([host, none]));
  expect(fails.head).not.toHaveProperty("grpc-status");
  expect(fails.body.length).toBeGreaterThan(0);
  expect(fails.trailers).toMatchObject({ "grpc-status": "14", "grpc-message": "gone" });
  const atOnce = await ask(path, grpc, none);
  expect(atOnce).toMatchObject({ endsWithHead: true, head: { "grpc-status": "14" } });
  const web = await ask(path, { "content-type": "application/grpc-web" }, Buffer.concat([host, none]));
  expect(webTrailers(web.body)["grpc-status"]).toBe("14");
  const empty = await ask(path, grpc, Buffer.alloc(0));
  expect(empty).toMatchObject({ endsWithHead: false, trailers: { "grpc-status": "0" } });
});

test("headers of the call's own stay headers", async () => {
  const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  const message = envelope(Buffer.from([0x0a, 1, 0x62]));
  const { head, trailers } = await ask(path, { "content-type": "application/grpc" }, message);
  expect(head).toMatchObject({ "x-own": "1" });
  expect(head).not.toHaveProperty("grpc-status");
  expect(trailers["grpc-status"]).toBe("14");
});

test("a gRPC client with a retry policy tries again", async () => {
  const retryPolicy = {
    maxAttempts: 2,
    initialBackoff: "0.01s",
    maxBackoff: "0.01s",
    backoffMultiplier: 1,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const service = JSON.stringify({ methodConfig: [{ name: [{ service: Operator.typeName }], retryPolicy }] });
  const client = new Client(running.url.replace("http://", ""), credentials.createInsecure(), {
    "grpc.service_config": service,
  });
  calls = 0;
  const reply = await new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/omnisearch.Operator/Execute",
      (value: Buffer) => value,
      (bytes: Buffer) => bytes,
      Buffer.from(toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { datas: ["second"] }))),
      (error, value) => (error ? reject(error) : resolve(value)),
    );
  });
  client.close();
  expect(reply).toEqual(Buffer.alloc(0));
  expect(calls).toBe(2);
});

test.each([
  ["gRPC", createGrpcTransport],
  ["gRPC-Web", createGrpcWebTransport],
])("Connect's client of %s reads the whole error", async (_, createTransport) => {
  for (const httpVersion of ["1.1", "2"] as const) {
    if (httpVersion === "1.1" && createTransport === createGrpcTransport) continue;
    const client = createClient(Operator, createTransport({ baseUrl: running.url, httpVersion } as never));
    const error = await client
      .execute({ datas: ["2500"] })
      .catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.Unavailable, rawMessage: messageOf(2500) });
    const [details] = (error as ConnectError).findDetails(BatchFailureSchema);
    expect(details?.items).toMatchObject([{ index: 0, message: messageOf(10) }]);
  }
});
