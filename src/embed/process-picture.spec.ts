import { deflateSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import { readImage } from "../../fixtures/read-golden.ts";
import { EmbedError } from "../errors.ts";
import { createDecodeImage } from "../image/decode-image.ts";
import { decodePng } from "../image/decode-png.ts";
import type { Pixels } from "../image/pixels.ts";
import { writePng } from "../image/write-png.ts";
import { createProcessPicture, maxOutputs } from "./process-picture.ts";
import type { Processor, ProcessorInput } from "./processor.ts";

const limits = { maxPixels: 10_000, maxImageBytes: 5_000 };
const decode = createDecodeImage(readCodecs(), limits);
const deflate = (bytes: Uint8Array) => deflateSync(bytes);

const run = (
  process: (picture: ProcessorInput) => unknown,
  bytes: Uint8Array = readImage("png/rgb-16x16.png"),
) =>
  createProcessPicture({
    processor: { name: "test", process } as Processor,
    ...{ decode, limits, deflate, now: () => performance.now() },
  })(bytes);

const fileOf = (base64: Uint8Array) => new Uint8Array(Buffer.from(Buffer.from(base64).toString(), "base64"));

const failureOf = async (process: (picture: ProcessorInput) => unknown, bytes?: Uint8Array) => {
  const result = await run(process, bytes);
  return result.ok ? "ok" : `${result.error.reason}: ${result.error.message}`;
};

const grey: Pixels = { width: 2, height: 1, data: Uint8Array.of(9, 9, 9, 7, 7, 7) };

describe("what is made of a picture", () => {
  test("pixels come back as PNG, files as they are, in order", async () => {
    const file = Uint8Array.of(1, 2, 3, 4);
    const result = await run(async ({ decode }) => [await decode(), file, grey]);
    if (!result.ok) throw result.error;
    const [decoded, same, png] = result.images.map(fileOf);
    expect(decodePng(decoded!)).toEqual(decodePng(readImage("png/rgb-16x16.png")));
    expect(same).toEqual(file);
    expect(png).toEqual(await writePng(grey, deflate));
    expect(result.processMs).toBeGreaterThan(0);
  });

  test("may be nothing", async () => {
    expect(await run(() => [])).toMatchObject({ ok: true, images: [] });
  });

  test("is made from the file, what its header says, and its pixels, decoded once", async () => {
    const bytes = readImage("jpeg/baseline-444-33x2.jpg");
    let seen: ProcessorInput | undefined;
    let same: boolean | undefined;
    await run((picture) => {
      seen = picture;
      const [first, again] = [picture.decode(), picture.decode()];
      same = first === again;
      return [];
    }, bytes);
    expect(seen).toMatchObject({ bytes, format: "jpeg", width: 33, height: 2 });
    expect(same).toBe(true);
  });
});

describe("fails that picture", () => {
  const shape = "as Uint8Array of a file, or {width, height, data} with width x height x 3 bytes";
  const ofTest = "PROCESSOR_FAILED: expected of the processor test";
  test.each<[string, (picture: ProcessorInput) => unknown, string]>([
    [
      "an error",
      () => {
        throw new Error("no face found");
      },
      "PROCESSOR_FAILED: the processor test failed: no face found",
    ],
    [
      "a rejection",
      () => Promise.reject("why\ud800"),
      "PROCESSOR_FAILED: the processor test failed: why\ufffd",
    ],
    [
      "a long message",
      () => {
        throw new Error("x".repeat(600));
      },
      `PROCESSOR_FAILED: the processor test failed: ${"x".repeat(500)}`,
    ],
    ["one picture", () => grey, `${ofTest} an array of pictures, got Object`],
    ["nothing", () => undefined, `${ofTest} an array of pictures, got undefined`],
    ["null", () => [null], `${ofTest} picture 0 ${shape}, got null`],
    ["a string", () => [grey, "iVBOR"], `${ofTest} picture 1 ${shape}, got string`],
    ["an empty file", () => [new Uint8Array(0)], `${ofTest} bytes of picture 0, got none`],
    ["too few bytes", () => [{ ...grey, height: 2 }], `${ofTest} picture 0 ${shape}, got 2 x 2 with 6 bytes`],
    [
      "no width",
      () => [{ ...grey, width: 0, data: new Uint8Array(0) }],
      `${ofTest} picture 0 ${shape}, got Object`,
    ],
    [
      "too many pixels",
      () => [{ width: 101, height: 100, data: new Uint8Array(30_300) }],
      `${ofTest} at most 10000 pixels (--max-pixels) of picture 0, got 101 x 100 = 10100`,
    ],
    [
      "too many bytes",
      () => [new Uint8Array(3000), new Uint8Array(3000)],
      `${ofTest} at most 5000 bytes of pictures of one (--max-image-bytes), got 6000 with picture 1`,
    ],
    [
      "too many pictures",
      () => new Array(maxOutputs + 1).fill(grey),
      `${ofTest} at most 1000 pictures of one, got 1001`,
    ],
    [
      "an error of ours",
      () => {
        throw new EmbedError("IMAGE_CORRUPT", "it is broken");
      },
      "IMAGE_CORRUPT: it is broken",
    ],
  ])("%s", async (_, process, message) => {
    expect(await failureOf(process)).toBe(message);
  });

  test("pixels that cannot be had, whether the processor waits for them or not", async () => {
    const cut = readImage("png/rgb-16x16.png").slice(0, 100);
    expect(await failureOf(async ({ decode }) => [await decode()], cut)).toMatch(
      /^IMAGE_CORRUPT: corrupt PNG: /,
    );
    const result = await run(({ decode }) => {
      void decode();
      return [];
    }, cut);
    expect(result.ok).toBe(true);
  });

  test.each([
    ["no picture", Uint8Array.of(1, 2, 3), "IMAGE_UNSUPPORTED"],
    ["too large a picture", readImage("png/rgb-224x224.png"), "IMAGE_TOO_LARGE"],
  ])("%s never reaches it", async (_, bytes, reason) => {
    let calls = 0;
    const failure = await failureOf(() => {
      calls += 1;
      return [];
    }, bytes);
    expect(failure).toMatch(new RegExp(`^${reason}: `));
    expect(calls).toBe(0);
  });

  test("the place in its code is kept as the cause", async () => {
    const result = await run(() => {
      throw new Error("here");
    });
    expect(result.ok ? "" : String(result.error.cause)).toMatch(/^Error: here\n.*process-picture\.spec\.ts/s);
  });
});
