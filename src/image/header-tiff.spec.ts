import { expect, test } from "vitest";
import { decodeTiff } from "./decode-tiff.ts";
import { tiffTag } from "./tiff-directory.ts";

type Tags = Partial<Record<keyof typeof tiffTag, number | readonly number[]>>;

/** A little-endian TIFF: eight bytes of header, `data`, then one directory with LONG values. */
function buildTiff(tags: Tags, data: readonly number[] = []): Uint8Array {
  const entries = Object.entries(tags)
    .map(([name, values]) => ({
      tag: tiffTag[name as keyof typeof tiffTag],
      values: [values].flat() as number[],
    }))
    .sort((a, b) => a.tag - b.tag);
  const directory = 8 + data.length;
  const extra = directory + 2 + entries.length * 12 + 4;
  const bytes = new Uint8Array(
    extra + entries.reduce((total, { values }) => total + (values.length > 1 ? 4 * values.length : 0), 0),
  );
  const view = new DataView(bytes.buffer);
  bytes.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, directory, true);
  bytes.set(data, 8);
  view.setUint16(directory, entries.length, true);
  let position = extra;
  for (const [i, { tag, values }] of entries.entries()) {
    const entry = directory + 2 + 12 * i;
    view.setUint16(entry, tag, true);
    view.setUint16(entry + 2, 4, true);
    view.setUint32(entry + 4, values.length, true);
    view.setUint32(entry + 8, values.length === 1 ? values[0]! : position, true);
    for (const value of values.length === 1 ? [] : values) {
      view.setUint32(position, value, true);
      position += 4;
    }
  }
  return bytes;
}

const grey: Tags = {
  width: 3,
  height: 2,
  bitsPerSample: 8,
  photometric: 1,
  stripOffsets: 8,
  stripByteCounts: 6,
};
const sixBytes = [10, 20, 30, 40, 50, 60];

function samplesOf(bytes: Uint8Array): number[] {
  return [...decodeTiff(bytes).data].filter((_, i) => i % 3 === 0);
}

test("the least of tags is enough", () => {
  expect(samplesOf(buildTiff(grey, sixBytes))).toEqual(sixBytes);
});

test.each([
  [1, 3, 2, [10, 20, 30, 40, 50, 60]],
  [2, 3, 2, [30, 20, 10, 60, 50, 40]],
  [3, 3, 2, [60, 50, 40, 30, 20, 10]],
  [4, 3, 2, [40, 50, 60, 10, 20, 30]],
  [5, 2, 3, [10, 40, 20, 50, 30, 60]],
  [6, 2, 3, [40, 10, 50, 20, 60, 30]],
  [7, 2, 3, [60, 30, 50, 20, 40, 10]],
  [8, 2, 3, [30, 60, 20, 50, 10, 40]],
  [9, 3, 2, [10, 20, 30, 40, 50, 60]],
])("orientation %i shows the picture as Pillow does", (orientation, width, height, samples) => {
  const bytes = buildTiff({ ...grey, orientation }, sixBytes);
  expect(decodeTiff(bytes)).toMatchObject({ width, height });
  expect(samplesOf(bytes)).toEqual(samples);
});

const { stripOffsets: _, ...unplaced } = grey;

test.each<[Tags, string]>([
  [{ ...grey, bitsPerSample: 16 }, "this kind of TIFF is not supported: 16 bits a sample; 8 are"],
  [
    { ...grey, samplesPerPixel: 3, bitsPerSample: [8, 8, 4] },
    "this kind of TIFF is not supported: 4 bits a sample; 8 are",
  ],
  [{ ...grey, samplesPerPixel: 7 }, "corrupt TIFF: expected 1 to 6 samples a pixel, got 7"],
  [{ ...grey, photometric: 2 }, "corrupt TIFF: expected 3 to 6 samples a pixel, got 1"],
  [{ ...grey, photometric: 6 }, "this kind of TIFF is not supported: colour space YCbCr"],
  [{ ...grey, photometric: 3 }, "corrupt TIFF: expected a colour map of 768 values, got 0"],
  [{ ...grey, compression: 7 }, "this kind of TIFF is not supported: compression JPEG"],
  [{ ...grey, compression: 5, predictor: 3 }, "this kind of TIFF is not supported: predictor 3"],
  [{ ...grey, fillOrder: 2 }, "this kind of TIFF is not supported: fill order 2"],
  [
    { ...grey, samplesPerPixel: 2, extraSamples: 1 },
    "this kind of TIFF is not supported: colours multiplied by alpha",
  ],
  [{ ...grey, rowsPerStrip: 0 }, "corrupt TIFF: expected strips of at least 1 x 1, got 3 x 0"],
  [unplaced, "corrupt TIFF: expected the offsets of 1 strips, got 0"],
  [{ ...grey, rowsPerStrip: 1 }, "corrupt TIFF: expected the offsets of 2 strips, got 1"],
  [
    { ...grey, rowsPerStrip: 1, compression: 5, stripOffsets: [8, 8] },
    "corrupt TIFF: expected the lengths of 2 strips, got 1",
  ],
  [
    { ...unplaced, tileWidth: 60_000, tileHeight: 60_000, tileOffsets: 8 },
    "this kind of TIFF is not supported: tiles of 60000 x 60000 for a picture of 3 x 2",
  ],
  [
    { ...grey, width: 1, height: 1_000_000, rowsPerStrip: 1 },
    "this kind of TIFF is not supported: 1000000 strips; at most 131072 are",
  ],
  [
    { ...grey, stripOffsets: 1000 },
    "corrupt TIFF: truncated: strip 0 should end at byte 1006, the file ends at 92",
  ],
])("%j is refused", (tags, message) => {
  expect(() => decodeTiff(buildTiff(tags, sixBytes))).toThrow(message);
});
