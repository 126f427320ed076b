import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { fetchByte } from "../../tools/service/byte-embedder.ts";
import { failureOf } from "../../tools/service/call-failure.ts";
import type { ProcessorHost } from "../embed/processor.ts";
import { EmbedError } from "../errors.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { createOperator } from "./operator.ts";
import { processorKind } from "./processor-kind.ts";

/** Of [n] it makes n pictures of n bytes; later items finish first. 0 is a corrupt picture. */
function hostOfBytes(): ProcessorHost & { readonly worked: number[] } {
  const worked: number[] = [];
  return {
    worked,
    concurrency: 2,
    ready: Promise.resolve(),
    isReady: () => true,
    async process(bytes) {
      const count = bytes[0] as number;
      worked.push(count);
      await new Promise((resolve) => setTimeout(resolve, 20 - Math.min(19, worked.length)));
      if (count === 0) return { ok: false, error: new EmbedError("IMAGE_CORRUPT", "it is broken") };
      const images = Array.from({ length: count }, () => new Uint8Array(count).fill(count));
      return { ok: true, images, processMs: 1 };
    },
    dispose: async () => undefined,
  };
}

const limits = { maxItems: 50, maxImageBytes: 4, maxPixels: 100 };

function clientOf(host: ProcessorHost, replyMaxBytes?: number) {
  const operator = createOperator({
    kind: processorKind({ name: "copies", host, limits }, replyMaxBytes),
    endpoint: () => "10.0.0.1:52001",
    fetchBytes: fetchByte,
    isStopping: () => false,
  });
  return createClient(
    Operator,
    createRouterTransport((router) => router.service(Operator, operator)),
  );
}

const data = (byte: number) => btoa(String.fromCharCode(byte));

test.each([
  { name: "an empty request", request: {}, made: [] },
  { name: "datas, in order", request: { datas: [2, 1, 3].map(data) }, made: [2, 2, 1, 3, 3, 3] },
  { name: "urls, in order", request: { urls: ["http://a/1", "http://a/2"] }, made: [1, 2, 2] },
  { name: "datas before urls", request: { urls: ["http://a/9"], datas: [data(1)] }, made: [1] },
])("$name", async ({ request, made }) => {
  const reply = await clientOf(hostOfBytes()).execute(request);
  expect(reply.metadata.map(({ url, data: bytes }) => [url, [...bytes]])).toEqual(
    made.map((count) => ["", new Array(count).fill(count)]),
  );
  expect(reply.nums).toBe(BigInt(made.length));
  expect(reply.vectors).toEqual([]);
});

test("a bad item fails the call, and each is named", async () => {
  const failure = await failureOf(
    clientOf(hostOfBytes()).execute({ datas: [data(1), data(0), "!", data(0)] }),
  );
  expect(failure.code).toBe(Code.InvalidArgument);
  expect(failure.details[0]?.items.map(({ index, reason }) => `${index} ${reason}`)).toEqual([
    "1 IMAGE_CORRUPT",
    "2 BASE64_INVALID",
    "3 IMAGE_CORRUPT",
  ]);
});

test("pictures that would make too large a reply end the call, and what waits of it", async () => {
  const host = hostOfBytes();
  const datas = Array.from({ length: 50 }, () => data(10));
  // 10 pictures of 10 bytes and 16 for each entry.
  const failure = await failureOf(clientOf(host, 3 * 260).execute({ datas }));
  expect(failure).toEqual({
    code: Code.ResourceExhausted,
    message:
      "REQUEST_TOO_LARGE: expected the pictures of one reply to take at most 780 bytes as base64, got more; send fewer pictures in one call",
    details: [],
  });
  expect(host.worked.length).toBeLessThan(10);
  await expect(clientOf(hostOfBytes(), 3 * 260).execute({ datas: datas.slice(0, 3) })).resolves.toMatchObject(
    {
      nums: 30n,
    },
  );
});
