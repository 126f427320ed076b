import { once } from "node:events";
import { connect } from "node:http2";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../../tools/start-test-server.ts";
import type { ProcessorHost } from "../../embed/processor.ts";
import { Operator } from "../../gen/omnisearch/operator_pb.ts";
import { createOperator } from "../../service/operator.ts";
import { processorKind } from "../../service/processor-kind.ts";

const bound = 2 ** 20;
const step = 100_000;

/** Of [n] it makes a picture of n times 100,000 bytes. */
const host: ProcessorHost = {
  concurrency: 2,
  ready: Promise.resolve(),
  isReady: () => true,
  process: async (bytes) => ({
    ok: true,
    images: [new Uint8Array((bytes[0] as number) * step)],
    processMs: 1,
  }),
  dispose: async () => undefined,
};

let server: TestServer;
beforeAll(async () => {
  const limits = { maxItems: 10, maxImageBytes: 10, maxPixels: 10 };
  const operator = createOperator({
    kind: processorKind({ name: "large", host, limits }),
    endpoint: () => "10.0.0.1:52001",
    fetchBytes: () => Promise.reject(),
    isStopping: () => false,
  });
  server = await startTestServer((router) => router.service(Operator, operator), { inflightMaxBytes: bound });
});
afterAll(() => server.server.close({ graceMs: 0 }));

const data = (count: number) => btoa(String.fromCharCode(count));
const execute = (count: number) =>
  createClient(Operator, createGrpcTransport({ baseUrl: server.url })).execute({ datas: [data(count)] });

test("pictures of replies that nobody reads count against the bound of all calls, until their client has gone", async () => {
  const session = connect(server.url);
  const unread = session.request({
    ":method": "POST",
    ":path": "/omnisearch.Operator/Execute",
    "content-type": "application/json",
  });
  unread.end(JSON.stringify({ datas: [data(8)] }));
  await once(unread, "response");

  await expect(execute(2)).resolves.toMatchObject({ nums: 1n });
  const refused = await execute(3).then(
    () => undefined,
    (error: unknown) => ConnectError.from(error),
  );
  expect(refused?.code).toBe(Code.ResourceExhausted);
  expect(refused?.rawMessage).toMatch(
    /^OVERLOADED: expected at most 1048576 bytes of requests at once \(--max-inflight-bytes\), got 110\d{4}; try again later$/,
  );
  expect(refused?.metadata.get("grpc-retry-pushback-ms")).toBe("1000");

  session.destroy();
  await expect.poll(() => execute(3).then(() => "served", String), { timeout: 30_000 }).toBe("served");
});

test("one call alone may make more", async () => {
  await expect(execute(20)).resolves.toMatchObject({ nums: 1n });
});
