import { readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { createRandom } from "../../../tools/random.ts";
import { createDecodeImage } from "../../image/decode-image.ts";
import type { DecodeImage } from "../../image/pixels.ts";
import { writeBmp } from "../../image/write-bmp.ts";
import { resize } from "../../preprocess/resize.ts";
import { loadCodecs } from "../pool/load-codecs.ts";
import { createMakeThumbnail, type MakeThumbnail, thumbnailMaxSide } from "./make-thumbnail.ts";

const limits = { maxPixels: 10_000_000 };
let makeThumbnail: MakeThumbnail;
let decode: DecodeImage;
beforeAll(async () => {
  makeThumbnail = await createMakeThumbnail(limits);
  decode = createDecodeImage(await loadCodecs(), limits);
});

const fixture = (path: string) => readFile(new URL(`../../../fixtures/images/${path}`, import.meta.url));

test.each(["photo/black-canyon.jpg", "photo/march-pastoral.jpg"])(
  "%s becomes a small JPEG of the same picture",
  async (path) => {
    const original = (await decode(await fixture(path))).pixels;
    const { width, height, bytes } = await makeThumbnail(await fixture(path));
    expect(Math.max(width, height)).toBe(thumbnailMaxSide);
    expect(width / height).toBeCloseTo(original.width / original.height, 1);
    const { header, pixels } = await decode(bytes);
    expect(header).toMatchObject({ format: "jpeg", width, height });
    const small = resize(original, width, height, "bilinear");
    const error = pixels.data.reduce((sum, value, i) => sum + Math.abs(value - (small.data[i] as number)), 0);
    expect(error / pixels.data.length).toBeLessThan(6);
    expect(bytes.length).toBeLessThan(12_000);
  },
);

test("a small picture is not enlarged, and an extreme one keeps a pixel of each side", async () => {
  const small = { width: 3, height: 2, data: new Uint8Array(24).fill(200) };
  expect(await makeThumbnail(writeBmp(small))).toMatchObject({ width: 3, height: 2 });
  const line = { width: 2_000, height: 1, data: new Uint8Array(8_000).fill(90) };
  expect(await makeThumbnail(writeBmp(line))).toMatchObject({ width: thumbnailMaxSide, height: 1 });
});

test("noise takes most bytes, and not many; one thumbnail does not overwrite another", async () => {
  const data = createRandom(3, 0).bytes(thumbnailMaxSide ** 2 * 4);
  const noise = await makeThumbnail(writeBmp({ width: thumbnailMaxSide, height: thumbnailMaxSide, data }));
  const before = noise.bytes.slice();
  await makeThumbnail(await fixture("photo/black-canyon.jpg"));
  expect(noise.bytes).toEqual(before);
  expect(noise.bytes.length).toBeLessThan(24_000);
});

test("a broken picture is refused as anywhere else", async () => {
  await expect(makeThumbnail(await fixture("bad/png-truncated.png"))).rejects.toMatchObject({
    reason: "IMAGE_CORRUPT",
  });
});
