import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { embedderOfBytes, fetchByte, modelOfBytes } from "../../tools/service/byte-embedder.ts";
import { failureOf } from "../../tools/service/call-failure.ts";
import type { Embedder } from "../embed/embedder.ts";
import { EmbedError } from "../errors.ts";
import { EmbeddingService, ErrorPolicy, VectorEncoding } from "../gen/portico/v1/embedding_pb.ts";
import { createEmbedding } from "./embedding.ts";

const fingerprint = modelOfBytes(embedderOfBytes(), 1).manifest.fingerprint;

function clientOf(embedder: Embedder = embedderOfBytes()) {
  let clock = 0;
  const service = createEmbedding({
    models: [modelOfBytes(embedder, 10), modelOfBytes(embedder, 10, "other")],
    fetchBytes: fetchByte,
    now: () => clock++,
  });
  return createClient(
    EmbeddingService,
    createRouterTransport((router) => router.service(EmbeddingService, service)),
  );
}

const data = (...bytes: number[]) => ({ source: { case: "data" as const, value: Uint8Array.from(bytes) } });
const url = (value: string) => ({ source: { case: "url" as const, value } });

describe("Embed", () => {
  test("gives a result or an error for each picture, in order", async () => {
    const images = [data(7), data(0), url("http://a/8"), url("http://a/x"), data(), data(1, 2, 3, 4, 5), {}];
    const headers = new Headers();
    const reply = await clientOf().embed(
      { images },
      { onHeader: (all) => void all.forEach((value, name) => void headers.set(name, value)) },
    );
    expect(reply.model).toBe("resnet50");
    expect(reply.vectorSpace).toBe(fingerprint);
    expect([headers.get("portico-model"), headers.get("portico-vector-space")]).toEqual([
      "resnet50",
      fingerprint,
    ]);
    expect(
      reply.results.map(({ outcome }) =>
        outcome.case === "embedding"
          ? outcome.value.vector
          : `${outcome.value?.index} ${outcome.value?.reason}: ${outcome.value?.message}`,
      ),
    ).toEqual([
      [7, 1],
      "1 IMAGE_CORRUPT: it is broken",
      [8, 1],
      "3 SOURCE_UNREACHABLE: got HTTP status 404",
      "4 SOURCE_EMPTY: expected a picture's bytes, got none",
      "5 SOURCE_TOO_LARGE: expected a picture of at most 4 bytes (--max-image-bytes), got 5",
      "6 SOURCE_EMPTY: expected a picture's data or url, got neither",
    ]);
  });

  test("tells the HTTP status of a URL as a number, and none where there was none", async () => {
    const reply = await clientOf().embed({ images: [url("http://a/x"), data(0)] });
    expect(reply.results.map(({ outcome }) => outcome.case === "error" && outcome.value.httpStatus)).toEqual([
      404,
      undefined,
    ]);
  });

  test("tells facts and timings of each picture", async () => {
    const reply = await clientOf().embed({ images: [data(7), url("http://a/8")] });
    expect(reply.results.map(({ outcome }) => outcome.case === "embedding" && outcome.value)).toMatchObject([
      {
        image: { format: "png", width: 1, height: 1 },
        timings: { fetchMs: 0, decodeMs: 1, preprocessMs: 2, inferMs: 3 },
      },
      { timings: { fetchMs: 1 } },
    ]);
  });

  test("writes vectors as little-endian bytes where asked", async () => {
    const reply = await clientOf().embed({ images: [data(7)], vectorEncoding: VectorEncoding.BYTES });
    const outcome = reply.results[0]?.outcome;
    expect(outcome?.case === "embedding" && outcome.value).toMatchObject({
      vector: [],
      vectorBytes: Uint8Array.of(0, 0, 0xe0, 0x40, 0, 0, 0x80, 0x3f),
    });
  });

  test("fails as a whole where asked", async () => {
    const images = [data(7), data(0)];
    const failure = await failureOf(clientOf().embed({ images, errorPolicy: ErrorPolicy.FAIL_CALL }));
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.message).toBe("IMAGE_CORRUPT: 1 of 2 items failed: images[1] IMAGE_CORRUPT: it is broken");
    expect(failure.details[0]?.indexes).toMatchObject([{ reason: "IMAGE_CORRUPT", indexes: [1] }]);
    const whole = await clientOf().embed({ images: [data(7)], errorPolicy: ErrorPolicy.FAIL_CALL });
    expect(whole.results).toHaveLength(1);
  });

  test.each([
    {
      name: "an unknown model",
      request: { model: "vgg", images: [data(1)] },
      code: Code.NotFound,
      message: 'MODEL_UNKNOWN: expected one of the models resnet50, other, got "vgg"',
    },
    {
      name: "too many pictures",
      request: { images: Array.from({ length: 11 }, () => data(1)) },
      code: Code.ResourceExhausted,
      message: "REQUEST_TOO_LARGE: expected at most 10 images in one call (--max-items), got 11",
    },
  ])("refuses $name", async ({ request, code, message }) => {
    expect(await failureOf(clientOf().embed(request))).toMatchObject({ code, message });
  });

  test("an empty batch is an empty reply", async () => {
    expect(await clientOf().embed({ model: "other" })).toMatchObject({ model: "other", results: [] });
  });
});

describe("EmbedStream", () => {
  test("gives each request's result under its id, whatever becomes of the others", async () => {
    async function* requests() {
      for (const [id, image, model] of [
        ["a", data(7), ""],
        ["b", data(0), ""],
        ["c", data(8), "vgg"],
        ["d", url("http://a/9"), "other"],
        ["e", data(9), ""],
      ] as const) {
        yield { id, image, model };
      }
    }
    const results: Record<string, unknown> = {};
    for await (const { id, result, vectorSpace } of clientOf().embedStream(requests())) {
      const outcome = result?.outcome;
      results[id] =
        outcome?.case === "embedding"
          ? [vectorSpace === fingerprint, ...outcome.value.vector]
          : outcome?.value?.reason;
    }
    expect(results).toEqual({
      a: [true, 7, 1],
      b: "IMAGE_CORRUPT",
      c: "MODEL_UNKNOWN",
      d: [true, 9, 1],
      e: [true, 9, 1],
    });
  });

  test("reads no further ahead than it works", async () => {
    let drawn = 0;
    const never: Embedder = { ...embedderOfBytes(), embed: () => new Promise(() => undefined) };
    async function* requests() {
      for (;;) {
        drawn += 1;
        yield { id: String(drawn), image: data(1) };
      }
    }
    const replies = clientOf(never).embedStream(requests(), { timeoutMs: 200 });
    await expect(replies[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: Code.DeadlineExceeded,
    });
    expect(drawn).toBeLessThan(20);
  });

  test("waits for a model that can never be had no longer than it takes to know", async () => {
    const broken = embedderOfBytes(
      Promise.reject(new EmbedError("MODEL_CORRUPT", "the file is broken")),
      false,
    );
    async function* requests() {
      yield { id: "a", image: data(1) };
    }
    const outcomes: unknown[] = [];
    for await (const { result } of clientOf(broken).embedStream(requests()))
      outcomes.push(result?.outcome.value);
    expect(outcomes).toMatchObject([{ reason: "MODEL_CORRUPT", message: "the file is broken" }]);
  });
});

describe("models", () => {
  test("ListModels describes all, the default first", async () => {
    const { models } = await clientOf().listModels({});
    expect(models.map(({ name }) => name)).toEqual(["resnet50", "other"]);
    expect(models[0]).toMatchObject({
      dimension: 2048,
      metricType: "L2",
      vectorSpace: fingerprint,
      engine: "ort-wasm",
      precision: "fp32",
      input: { width: 224, height: 224, interpolation: "nearest", mode: "caffe", formats: ["jpeg", "png"] },
      limits: { maxItems: 10, maxImageBytes: 4n, maxPixels: 100n },
      ready: true,
    });
  });

  test.each([
    { name: "", expected: "resnet50" },
    { name: "other", expected: "other" },
  ])("GetModel of $name gives $expected", async ({ name, expected }) => {
    expect(await clientOf().getModel({ name })).toMatchObject({ model: { name: expected } });
  });

  test("GetModel of an unknown one names the known", async () => {
    expect(await failureOf(clientOf().getModel({ name: "x" }))).toMatchObject({
      code: Code.NotFound,
      message: 'MODEL_UNKNOWN: expected one of the models resnet50, other, got "x"',
    });
  });
});
