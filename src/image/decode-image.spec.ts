import { expect, test } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import {
  badImages,
  describePixelDifference,
  fixtureMaxPixels,
  goodImages,
  readGolden,
  readImage,
} from "../../fixtures/read-golden.ts";
import type { EmbedError } from "../errors.ts";
import { createDecodeImage } from "./decode-image.ts";

const decodeImage = createDecodeImage(readCodecs(), { maxPixels: fixtureMaxPixels });

async function refusalOf(
  bytes: Uint8Array,
  decode = decodeImage,
): Promise<{ reason: string; message: string }> {
  try {
    const { header } = await decode(bytes);
    return { reason: "none", message: `decoded as ${header.format}` };
  } catch (error) {
    const { reason, message } = error as EmbedError;
    return { reason, message };
  }
}

test("there are goldens for every format", () => {
  const folders = new Set(goodImages.map(({ path }) => path.split("/")[0]));
  expect([...folders]).toEqual(
    expect.arrayContaining(["photo", "jpeg", "png", "webp", "gif", "bmp", "tiff"]),
  );
});

test.each(goodImages.map(({ path, what }) => [path, what]))(
  "%s equals Pillow's pixels (%s)",
  async (path) => {
    const golden = readGolden("decoded", path);
    if (!golden) throw new Error(`no golden golden/decoded/${path}.json`);
    const { header, pixels } = await decodeImage(readImage(path));
    expect(header).toMatchObject({ width: golden.width, height: golden.height });
    expect(golden.maxDifference).toBe(0);
    expect(describePixelDifference(pixels, golden)).toBeUndefined();
  },
);

test.each(badImages.map(({ path, expect: { reason } }) => [path, reason]))(
  "%s is refused: %s",
  async (path, reason) => {
    expect((await refusalOf(readImage(path))).reason).toBe(reason);
  },
);

const list = "supported formats: JPEG, PNG, WebP, GIF, BMP, TIFF";

test.each([
  ["jpeg-truncated.jpg", "corrupt JPEG: truncated: the file ends without its end marker"],
  [
    "jpeg-truncated-header.jpg",
    "corrupt JPEG: truncated: marker segment c0 should end at byte 177, the file ends at 165",
  ],
  ["jpeg-no-scan.jpg", "corrupt JPEG: expected a frame header and a scan, got no scan"],
  ["jpeg-no-frame.jpg", "corrupt JPEG: expected a frame header before the first scan, got none"],
  ["jpeg-zero-height.jpg", "corrupt JPEG: expected a width and a height of at least 1, got 96 x 0"],
  ["jpeg-12bit.jpg", "this kind of JPEG is not supported: 12 bits a sample"],
  ["jpeg-arithmetic.jpg", "this kind of JPEG is not supported: arithmetic coding"],
  ["jpeg-lossless.jpg", "this kind of JPEG is not supported: lossless"],
  ["jpeg-ls.jpg", "this kind of JPEG is not supported: JPEG-LS"],
  ["jpeg-two-components.jpg", "this kind of JPEG is not supported: 2 components"],
  [
    "jpeg-claims-20000x20000.jpg",
    "the JPEG has 20000 x 20000 = 400000000 pixels, the limit is 50000000 (--max-pixels)",
  ],
  ["png-truncated.png", "corrupt PNG: truncated: chunk IDAT should end at byte 7695, the file ends at 3853"],
  ["png-no-data.png", "corrupt PNG: expected a chunk IDAT, got none"],
  ["png-header-wrong-crc.png", "corrupt PNG: chunk IHDR should have the checksum 00000000, it has 7a56410e"],
  ["png-claims-more-rows.png", "corrupt PNG: truncated: the compressed data ends before the last row"],
  ["png-zero-width.png", "corrupt PNG: expected a width and a height of 1 to 2147483647, got 0 x 45"],
  ["png-illegal-depth.png", "corrupt PNG: no PNG has colour type 2 with 4 bits a sample"],
  ["png-no-palette.png", "corrupt PNG: expected a chunk PLTE, got none"],
  ["png-illegal-filter.png", "corrupt PNG: expected a row filter of 0 to 4, got 7"],
  ["png-data-not-zlib.png", "corrupt PNG: the compressed data is broken"],
  ["png-inflates-to-64-mib.png", "corrupt PNG: the compressed data goes on after the last of 10 rows"],
  [
    "webp-truncated.webp",
    "corrupt WebP: truncated: the RIFF container should end at byte 1966, the file ends at 983",
  ],
  ["webp-no-picture.webp", "corrupt WebP: expected a chunk VP8 or VP8L, got VP8X"],
  ["webp-no-frame.webp", "corrupt WebP: expected an animation frame, got none"],
  ["webp-start-code.webp", "corrupt WebP: expected a VP8 key frame with the start code 9d 01 2a"],
  [
    "gif-truncated.gif",
    "corrupt GIF: truncated: the frame's data should end at byte 1496, the file ends at 1350",
  ],
  ["gif-no-frame.gif", "corrupt GIF: expected a frame, the file ends without one"],
  ["gif-code-size-14.gif", "corrupt GIF: expected an LZW minimum code size of 1 to 11, got 14"],
  ["gif-zero-size.gif", "corrupt GIF: expected a frame of at least 1 x 1, got 0 x 0"],
  [
    "bmp-truncated.bmp",
    "corrupt BMP: truncated: the last row should end at byte 9231, the file ends at 4617",
  ],
  ["bmp-zero-width.bmp", "corrupt BMP: expected a width and a height of at least 1, got 0 x 45"],
  ["bmp-depth-7.bmp", "this kind of BMP is not supported: 7 bits a pixel; 1, 4, 8, 16, 24, 32 are"],
  ["bmp-jpeg-inside.bmp", "this kind of BMP is not supported: compression 4 with 24 bits a pixel"],
  [
    "bmp-masks-rgbx.bmp",
    "this kind of BMP is not supported: 32 bits a pixel with the masks ff, ff00, ff0000, 0",
  ],
  ["tiff-truncated.tif", "corrupt TIFF: truncated: strip 0 should end at byte 9185, the file ends at 4593"],
  ["tiff-truncated-lzw.tif", "corrupt TIFF: truncated: expected 9045 bytes in strip 0, its data has 4756"],
  ["tiff-zero-width.tif", "corrupt TIFF: expected a width and a height of at least 1, got 0 x 45"],
  ["tiff-rgb-16bit.tif", "this kind of TIFF is not supported: 16 bits a sample; 8 are"],
  ["tiff-float.tif", "this kind of TIFF is not supported: sample format 3; unsigned integers (1) are"],
  ["tiff-cmyk.tif", "this kind of TIFF is not supported: colour space CMYK"],
  ["tiff-group4.tif", "this kind of TIFF is not supported: compression CCITT group 4"],
  ["tiff-unknown-compression.tif", "this kind of TIFF is not supported: compression 12345"],
  ["tga.tga", `TGA is not supported; ${list}`],
])("%s is refused in these words", async (name, message) => {
  expect((await refusalOf(readImage(`bad/${name}`))).message).toBe(message);
});

test("the pixel cap holds to the pixel, for each format", async () => {
  const paths = [
    "jpeg/baseline-444.jpg",
    "png/rgb-8bit.png",
    "webp/lossy.webp",
    "gif/89a.gif",
    "bmp/24bit.bmp",
    "tiff/rgb-none.tif",
  ];
  for (const path of paths) {
    const { header } = await decodeImage(readImage(path));
    const pixels = header.width * header.height;
    const atLimit = createDecodeImage(readCodecs(), { maxPixels: pixels });
    expect((await atLimit(readImage(path))).header).toEqual(header);
    const belowIt = createDecodeImage(readCodecs(), { maxPixels: pixels - 1 });
    expect((await refusalOf(readImage(path), belowIt)).reason).toBe("IMAGE_TOO_LARGE");
  }
});

test("pictures may be decoded at once, a broken one among them", async () => {
  const good = readImage("jpeg/crop-256x256.jpg");
  const broken = readImage("jpeg/crop-256x256.jpg");
  // A quantisation table with an impossible number makes libjpeg give up.
  broken[broken.indexOf(0xdb) + 3] = 0x0f;
  const results = await Promise.allSettled([good, broken, good].map((bytes) => decodeImage(bytes)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await refusalOf(broken)).toEqual({
    reason: "IMAGE_CORRUPT",
    message: "corrupt JPEG: the compressed data is broken",
  });
});

test("a picture at an offset of its buffer is the same picture", async () => {
  for (const { path } of goodImages.filter((image) =>
    /(photo\/black|rgb-8bit|lossy|89a|24bit|rgb-lzw|cmyk-adobe)\./.test(image.path),
  )) {
    const bytes = readImage(path);
    const padded = new Uint8Array(bytes.length + 7);
    padded.set(bytes, 5);
    const moved = await decodeImage(padded.subarray(5, 5 + bytes.length));
    expect(moved).toEqual(await decodeImage(bytes));
  }
});
