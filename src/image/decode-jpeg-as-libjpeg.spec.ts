import { expect, test } from "vitest";
import { describePixelDifference, goodImages, readGolden, readImage } from "../../fixtures/read-golden.ts";
import { decodeJpegAsLibjpeg } from "./decode-jpeg-as-libjpeg.ts";
import { readJpegHeader } from "./header-jpeg.ts";

// The server sends it only what mozjpeg does not give exactly; it must be right for every colour picture.
const paths = goodImages
  .map(({ path }) => path)
  .filter((path) => path.endsWith(".jpg") && readJpegHeader(readImage(path)).components > 1);

test.each(paths)("%s equals Pillow's pixels without mozjpeg", (path) => {
  expect(
    describePixelDifference(decodeJpegAsLibjpeg(readImage(path)), readGolden("decoded", path)!),
  ).toBeUndefined();
});
