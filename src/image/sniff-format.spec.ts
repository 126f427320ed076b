import { expect, test } from "vitest";
import { goodImages, readImage } from "../../fixtures/read-golden.ts";
import { sniffFormat } from "./sniff-format.ts";

const formatOfFolder: Record<string, string> = { photo: "jpeg" };

test.each(goodImages.map(({ path }) => path))("%s is known by its first bytes", (path) => {
  const folder = path.split("/")[0]!;
  expect(sniffFormat(readImage(path))).toBe(formatOfFolder[folder] ?? folder);
});

const list = "supported formats: JPEG, PNG, WebP, GIF, BMP, TIFF";
const notAnImage = `not an image: the first bytes are those of no known format; ${list}`;

function refusalOf(text: string) {
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  try {
    return sniffFormat(bytes);
  } catch (error) {
    const { reason, message } = error as { reason: string; message: string };
    return { reason, message };
  }
}

test("zero bytes are an empty source", () => {
  expect(refusalOf("")).toEqual({
    reason: "SOURCE_EMPTY",
    message: "expected an encoded image, got zero bytes",
  });
});

const icon = (type: string) => `\0\0${type}\0\x01\0\x10\x10\0\0${"\0".repeat(12)}`;

test.each([
  ["AVIF", "\0\0\0\x1cftypavif\0\0\0\0"],
  ["HEIC", "\0\0\0\x18ftypheix\0\0\0\0"],
  ["HEIF", "\0\0\0\x18ftypmif1\0\0\0\0"],
  ["JPEG XL", "\xff\x0a\x00"],
  ["JPEG XL", "\0\0\0\x0cJXL \r\n\x87\n"],
  ["JPEG 2000", "\xff\x4f\xff\x51\0"],
  ["BigTIFF", "II+\0\x08\0\0\0"],
  ["BigTIFF", "MM\0+\0\x08\0\0"],
  ["ICO", icon("\x01")],
  ["CUR", icon("\x02")],
  ["TGA", `\0\0\x02${"\0".repeat(40)}TRUEVISION-XFILE.\0`],
  ["PSD", "8BPS\0\x01"],
  ["PDF", "%PDF-1.7"],
  ["PNM", "P6\n4 4\n255\n"],
  ["PNM", "Pf\n4 4\n-1\n"],
  ["SVG", '<svg width="9"/>'],
  ["SVG", '\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a licence -->\n<svg>'],
])("%s is refused by name", (name, text) => {
  expect(refusalOf(text)).toEqual({
    reason: "IMAGE_UNSUPPORTED",
    message: `${name} is not supported; ${list}`,
  });
});

test.each([
  ["a text", "this is not an image"],
  ["a page that shows an SVG further on", `<html>${" ".repeat(2000)}<svg>`],
  ["a text that begins like a BMP", "BMW makes cars and motorcycles"],
  ["a RIFF file of another kind", "RIFF\x04\0\0\0WAVE"],
  ["one byte of a JPEG", "\xff"],
  ["a PNG signature with a byte wrong", "\x89PNG\r\n\x1a\r"],
])("%s is not an image", (_, text) => {
  expect(refusalOf(text)).toEqual({ reason: "IMAGE_UNSUPPORTED", message: notAnImage });
});
