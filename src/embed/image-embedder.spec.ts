import { afterAll, beforeAll, expect, test } from "vitest";
import { openTinyModel, readTinyPictures, type TinyModel } from "../../tools/load/tiny-model.ts";
import { embedFailureOf } from "../../tools/service/embed-failure.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import { createWorkerPool, type WorkerPool } from "../node/pool/worker-pool.ts";
import { compareVectors } from "./compare-vectors.ts";
import type { ImageInput } from "./image-bytes.ts";
import { createImageEmbedder, type ImageEmbedder } from "./image-embedder.ts";
import type { SelfCheck } from "./self-check.ts";

let tiny: TinyModel;
let pool: WorkerPool;
let embedder: ImageEmbedder;
let picture: SelfCheck;
beforeAll(async () => {
  tiny = await openTinyModel();
  pool = createWorkerPool({
    workers: 1,
    loadSetup: async () => tiny.setup,
    queue: { maxItems: Infinity, maxBytes: Infinity },
  });
  await pool.ready;
  embedder = createImageEmbedder(pool, tiny.manifest, () => ({ engine: pool.engine()! }));
  [picture] = (await readTinyPictures()) as [SelfCheck];
});
afterAll(() => pool?.dispose());

test("a picture gives the same vector as bytes, as a part of a buffer, as a Blob and as raw pixels", async () => {
  const { header, pixels } = await createDecodeImage(tiny.setup.codecs, tiny.setup.limits)(picture.bytes);
  const data = new Uint8ClampedArray(header.width * header.height * 4).fill(128);
  for (let i = 0; i < header.width * header.height; i++) {
    data.set(pixels.data.subarray(i * 3, i * 3 + 3), i * 4);
  }
  const whole = new Uint8Array(picture.bytes.length + 2);
  whole.set(picture.bytes, 1);
  const inputs: readonly ImageInput[] = [
    picture.bytes,
    whole.subarray(1, -1),
    picture.bytes.slice().buffer,
    new Blob([picture.bytes.slice()]),
    { data, width: header.width, height: header.height },
  ];
  const results = await Promise.all(inputs.map((input) => embedder.embed(input)));
  for (const { vector, vectorSpace, width, height } of results) {
    expect(compareVectors(vector, picture.vector).maxAbsError).toBeLessThanOrEqual(picture.tolerance);
    expect(vector).toEqual(results[0]!.vector);
    expect({ vectorSpace, width, height }).toEqual({
      vectorSpace: tiny.manifest.fingerprint,
      width: header.width,
      height: header.height,
    });
  }
  expect(results.map(({ format }) => format)).toEqual([...Array(4).fill(header.format), "raw"]);
  // The caller's bytes stay its own.
  expect(picture.bytes.length).toBeGreaterThan(0);
  expect(whole.length).toBe(picture.bytes.length + 2);
});

function movedAway(): Uint8Array {
  const bytes = new Uint8Array(4);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

test.each<[string, unknown, string, string]>([
  ["nothing", undefined, "REQUEST_INVALID", "Uint8Array, ArrayBuffer, Blob or ImageData, got undefined"],
  ["a text", "cat.jpg", "REQUEST_INVALID", "Uint8Array, ArrayBuffer, Blob or ImageData, got string"],
  [
    "bytes that were moved away",
    movedAway(),
    "REQUEST_INVALID",
    "bytes, got those of a detached ArrayBuffer",
  ],
  [
    "a buffer that was moved away",
    movedAway().buffer,
    "REQUEST_INVALID",
    "bytes, got those of a detached ArrayBuffer",
  ],
  ["a date", new Date(0), "REQUEST_INVALID", "Uint8Array, ArrayBuffer, Blob or ImageData, got Date"],
  ["no bytes", new Uint8Array(0), "SOURCE_EMPTY", "expected a picture's bytes, got none"],
  [
    "raw pixels of another size",
    { data: new Uint8Array(15), width: 2, height: 2 },
    "REQUEST_INVALID",
    "expected raw pixels with 4 bytes (RGBA) for each of width x height, got 2 x 2 and 15 bytes",
  ],
  [
    "raw pixels without any",
    { data: new Uint8Array(0), width: 0, height: 0 },
    "REQUEST_INVALID",
    "expected raw pixels with 4 bytes (RGBA) for each of width x height, got 0 x 0 and 0 bytes",
  ],
  ["bytes that are no picture", Uint8Array.of(1, 2, 3), "IMAGE_UNSUPPORTED", ""],
])("refused: %s", async (_, input, reason, message) => {
  const [gotReason, gotMessage] = await embedFailureOf(embedder.embed(input as ImageInput));
  expect(gotReason).toBe(reason);
  expect(gotMessage).toContain(message);
});

test("a signal that has ended, or ends, rejects; the next picture is embedded", async () => {
  expect((await embedFailureOf(embedder.embed(picture.bytes, { signal: AbortSignal.abort() })))[0]).toBe(
    "CANCELLED",
  );
  const controller = new AbortController();
  const waiting = embedder.embed(picture.bytes, { signal: controller.signal });
  controller.abort();
  expect((await embedFailureOf(waiting))[0]).toBe("CANCELLED");
  const { vector } = await embedder.embed(picture.bytes, { signal: AbortSignal.timeout(60_000) });
  expect(vector.length).toBe(embedder.dimension);
});

test("what comes after dispose is refused", async () => {
  await embedder.dispose();
  expect((await embedFailureOf(embedder.embed(picture.bytes)))[0]).toBe("SHUTTING_DOWN");
});
