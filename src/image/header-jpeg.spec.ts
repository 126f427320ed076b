import { expect, test } from "vitest";
import { readImage } from "../../fixtures/read-golden.ts";
import { jpegMarker, readJpegHeader, readJpegSegment } from "./header-jpeg.ts";

/** The file with `inserted` before its last scan, or instead of its end. */
function insertBefore(marker: number, bytes: Uint8Array, inserted: Uint8Array): Uint8Array {
  let offset = 2;
  for (let segment = readJpegSegment(bytes, offset); segment.marker !== marker; ) {
    offset = segment.end;
    segment = readJpegSegment(bytes, offset);
  }
  return Uint8Array.from([...bytes.subarray(0, offset), ...inserted, ...bytes.subarray(offset)]);
}

function lastScan(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(
    bytes.findLastIndex((byte, i) => byte === 0xff && bytes[i + 1] === jpegMarker.sos),
    -2,
  );
}

const progressive = readImage("jpeg/progressive-420.jpg");
const baseline = readImage("jpeg/baseline-420.jpg");
const frameStart = baseline.findIndex((byte, i) => byte === 0xff && baseline[i + 1] === jpegMarker.sof0);
const frameHeader = baseline.subarray(frameStart, frameStart + 19);

test("sampling factors and the number of components come from the frame header", () => {
  expect(readJpegHeader(baseline)).toMatchObject({
    components: 3,
    sampling: [
      { horizontal: 2, vertical: 2 },
      { horizontal: 1, vertical: 1 },
      { horizontal: 1, vertical: 1 },
    ],
  });
});

test("up to 100 scans are taken, 101 are not", () => {
  const scan = lastScan(progressive);
  const scans = progressive.filter(
    (byte, i) => byte === 0xff && progressive[i + 1] === jpegMarker.sos,
  ).length;
  const repeat = (times: number) => {
    const body = Array.from({ length: times - scans }, () => [...scan]).flat();
    return Uint8Array.from([...progressive.subarray(0, -2), ...body, 0xff, jpegMarker.eoi]);
  };
  expect(readJpegHeader(repeat(100)).width).toBe(readJpegHeader(progressive).width);
  expect(() => readJpegHeader(repeat(101))).toThrow("corrupt JPEG: expected at most 100 scans, got more");
});

test.each<[string, Uint8Array, string]>([
  ["a second frame header", frameHeader, "corrupt JPEG: expected one frame header, got a second"],
  [
    "a second start of image",
    Uint8Array.of(0xff, jpegMarker.soi),
    "corrupt JPEG: expected one start of image, got a second",
  ],
  [
    "a segment without room for its own length",
    Uint8Array.of(0xff, 0xe1, 0, 1),
    "corrupt JPEG: expected a marker segment of at least 2 bytes, got 1",
  ],
])("%s is refused", (_, inserted, message) => {
  expect(() => readJpegHeader(insertBefore(jpegMarker.sos, baseline, inserted))).toThrow(message);
});

test("a sampling factor of 0 is refused", () => {
  const bytes = baseline.slice();
  bytes[frameStart + 11] = 0x20;
  expect(() => readJpegHeader(bytes)).toThrow("corrupt JPEG: expected sampling factors of 1 to 4, got 2 x 0");
});

test("bytes between segments are skipped, as libjpeg skips them", () => {
  const header = readJpegHeader(
    insertBefore(jpegMarker.sos, baseline, Uint8Array.of(1, 2, 0xff, 0, 3, 0xff)),
  );
  expect(header).toEqual(readJpegHeader(baseline));
});
