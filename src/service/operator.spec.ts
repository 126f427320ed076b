import { create } from "@bufbuild/protobuf";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { embedderOfBytes, fetchByte, modelOfBytes } from "../../tools/service/byte-embedder.ts";
import { failureOf } from "../../tools/service/call-failure.ts";
import type { Embedder } from "../embed/embedder.ts";
import { EmbedError } from "../errors.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { BatchFailureSchema } from "../gen/portico/v1/errors_pb.ts";
import { encoderKind } from "./encoder-kind.ts";
import { createOperator } from "./operator.ts";

function clientOf(embedder = embedderOfBytes(), maxItems = 10, isStopping = false) {
  const operator = createOperator({
    kind: encoderKind(modelOfBytes(embedder, maxItems)),
    endpoint: () => "10.0.0.1:52001",
    fetchBytes: fetchByte,
    isStopping: () => isStopping,
  });
  return createClient(
    Operator,
    createRouterTransport((router) => router.service(Operator, operator)),
  );
}

/** Base64 of one byte. */
const data = (byte: number) => btoa(String.fromCharCode(byte));

describe("Execute", () => {
  test.each([
    { name: "an empty request", urls: [], datas: [], vectors: [] },
    { name: "datas in order", urls: [], datas: [1, 2, 3].map(data), vectors: [1, 2, 3] },
    { name: "urls in order", urls: ["http://a/4", "http://a/5"], datas: [], vectors: [4, 5] },
    { name: "datas before urls", urls: ["", ""], datas: [data(6), data(7)], vectors: [6, 7] },
    { name: "datas before other urls", urls: ["http://a/1"], datas: [data(8)], vectors: [8] },
  ])("$name", async ({ urls, datas, vectors }) => {
    const reply = await clientOf().execute({ urls, datas });
    expect(reply.vectors.map(({ element }) => element)).toEqual(vectors.map((value) => [value, 1]));
    expect(reply.nums).toBe(BigInt(vectors.length));
    expect(reply.metadata).toEqual([]);
  });

  test("names every bad index of a batch", async () => {
    const datas = [data(1), data(0), "!", data(2), "", "data:text/plain;base64,QUJDREVG"];
    const failure = await failureOf(clientOf().execute({ datas }));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.message).toMatch(
      /^IMAGE_CORRUPT: 4 of 6 items failed: datas\[1\] IMAGE_CORRUPT: it is broken; datas\[2\] BASE64_INVALID: .*; datas\[4\] SOURCE_EMPTY: .*; and 1 more$/,
    );
    expect(failure.details).toHaveLength(1);
    const [detail] = failure.details;
    expect(detail?.items.map(({ index, reason }) => `${index} ${reason}`)).toEqual([
      "1 IMAGE_CORRUPT",
      "2 BASE64_INVALID",
      "4 SOURCE_EMPTY",
      "5 SOURCE_TOO_LARGE",
    ]);
    expect(detail?.items.every(({ message }) => message.length > 0)).toBe(true);
    expect(detail?.indexes).toEqual(
      create(BatchFailureSchema, {
        indexes: [
          { reason: "IMAGE_CORRUPT", indexes: [1] },
          { reason: "BASE64_INVALID", indexes: [2] },
          { reason: "SOURCE_EMPTY", indexes: [4] },
          { reason: "SOURCE_TOO_LARGE", indexes: [5] },
        ],
      }).indexes,
    );
  });

  test("fails with the reason that a retry may cure", async () => {
    const failure = await failureOf(clientOf().execute({ datas: [data(0), data(255)] }));
    expect(failure.code).toBe(Code.Unavailable);
    expect(failure.message).toBe(
      "ENGINE_FAILED: 2 of 2 items failed: datas[0] IMAGE_CORRUPT: it is broken; datas[1] ENGINE_FAILED: a worker ended",
    );
  });

  test("names the URL that failed", async () => {
    const failure = await failureOf(clientOf().execute({ urls: ["http://a/1", "http://a/x"] }));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.message).toBe(
      "SOURCE_UNREACHABLE: 1 of 2 items failed: urls[1] SOURCE_UNREACHABLE: got HTTP status 404",
    );
    expect(failure.details[0]?.items).toMatchObject([{ index: 1, httpStatus: 404 }]);
  });

  test("keeps the detail of a thousand failures below what gRPC clients take", async () => {
    const datas = Array.from({ length: 1000 }, (_, index) => (index % 2 ? "!" : data(0)));
    const failure = await failureOf(clientOf(embedderOfBytes(), 1000).execute({ datas }));
    const [detail] = failure.details;
    const indexes = detail?.indexes.flatMap((group) => group.indexes).sort((a, b) => a - b);
    expect(indexes).toEqual(datas.map((_, index) => index));
    expect(detail?.items.length).toBeGreaterThan(10);
    expect(JSON.stringify(failure.message).length).toBeLessThan(1000);
  });

  test("draws items a few ahead of the workers, and none for a caller that has gone", async () => {
    let underWay = 0;
    let most = 0;
    let drawn = 0;
    const slow: Embedder = {
      ...embedderOfBytes(),
      async embed() {
        drawn += 1;
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setTimeout(resolve, 20));
        underWay -= 1;
        return { ok: false, error: new EmbedError("IMAGE_CORRUPT", "it is broken") };
      },
    };
    const datas = Array.from({ length: 100 }, () => data(1));
    const late = await failureOf(clientOf(slow, 100).execute({ datas }, { timeoutMs: 50 }));
    expect(late.code).toBe(Code.DeadlineExceeded);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(most).toBe(4);
    expect(drawn).toBeLessThan(40);
  });

  test("refuses more items than the limit", async () => {
    const failure = await failureOf(clientOf().execute({ datas: Array.from({ length: 11 }, () => data(1)) }));
    expect(failure).toEqual({
      code: Code.ResourceExhausted,
      message: "REQUEST_TOO_LARGE: expected at most 10 datas in one call (--max-items), got 11",
      details: [],
    });
  });

  test("waits for readiness, until the deadline at most", async () => {
    let open: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      open = resolve;
    });
    const client = clientOf(embedderOfBytes(ready, false));
    const late = await failureOf(client.execute({ datas: [data(1)] }, { timeoutMs: 30 }));
    expect(late.code).toBe(Code.DeadlineExceeded);
    const waiting = client.execute({ datas: [data(1)] });
    open();
    await expect(waiting).resolves.toMatchObject({ nums: 1n });
  });

  test("fails once readiness can never come", async () => {
    const never = Promise.reject(new EmbedError("MODEL_CORRUPT", "the model file is broken"));
    const failure = await failureOf(clientOf(embedderOfBytes(never, false)).execute({ datas: [data(1)] }));
    expect(failure).toEqual({
      code: Code.FailedPrecondition,
      message: "MODEL_CORRUPT: the model file is broken",
      details: [],
    });
  });
});

describe("Healthy follows readiness", () => {
  test("ready", async () => {
    await expect(clientOf().healthy({})).resolves.toMatchObject({ healthy: "healthy" });
  });

  test.each([
    { isStopping: false, message: "NOT_READY: the model is not ready to embed yet" },
    { isStopping: true, message: "SHUTTING_DOWN: the server stops; call another one" },
  ])("$message", async ({ isStopping, message }) => {
    const unready = embedderOfBytes(Promise.resolve(), false);
    const failure = await failureOf(clientOf(unready, 10, isStopping).healthy({}));
    expect(failure).toEqual({ code: Code.Unavailable, message, details: [] });
  });
});

test("Identity says what the manifest says", async () => {
  await expect(clientOf().identity({})).resolves.toMatchObject({
    name: "resnet50_encoder",
    endpoint: "10.0.0.1:52001",
    type: "encoder",
    input: "image",
    output: "vector",
    dimension: "2048",
    metricType: "L2",
  });
});
