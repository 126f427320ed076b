import { File, ready } from "h5wasm";
import { describe, expect, test } from "vitest";
import { failureOf } from "../../../tools/keras-layers.ts";
import { createHdf5Opener } from "./h5wasm-file.ts";
import { useHdf5 } from "./hdf5-file.ts";

// Files that h5wasm itself writes; those of h5py and Keras are in fixtures/golden/saved.

const module = await ready;
const openHdf5 = createHdf5Opener(module);

let written = 0;

/** The bytes of a file that `fill` fills. */
function write(fill: (file: File) => void): Uint8Array<ArrayBuffer> {
  const path = `/written-${written++}.h5`;
  const file = new File(path, "w");
  fill(file);
  file.close();
  const bytes = new Uint8Array(module.FS.readFile(path) as Uint8Array);
  module.FS.unlink(path);
  return bytes;
}

function readOne(fill: (file: File) => void) {
  return useHdf5(openHdf5, write(fill), (file) => {
    const dataset = file.listDatasets("/").get("/weights")!;
    return { shape: dataset.shape, values: file.readFloats(dataset) };
  });
}

describe("values of any shape come in C order, though they are read in pieces of 4 MiB", () => {
  test.each([
    ["none", [0, 3]],
    ["a few", [2, 3]],
    ["one piece and a bit", [1_048_577]],
    ["rows of several pieces", [2, 1, 1_300_001]],
    ["rows that fit a few at a time", [7, 300_000]],
    ["a picture's kernel", [3, 3, 512, 300]],
  ])("%s: %j", async (_what, shape) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: count }, (_, i) => i);
    const read = await readOne((file) => {
      file.create_dataset({ name: "weights", data, shape, dtype: "<f" });
    });
    expect(read.shape).toEqual(shape);
    expect(Buffer.compare(new Uint8Array(read.values.buffer), new Uint8Array(data.buffer))).toBe(0);
  });

  test.each([
    ["a number alone", Float32Array.of(2.5), "<f", 2.5],
    ["32 bits", Int32Array.of(-7), "<i", -7],
    ["32 bits without a sign", Uint32Array.of(4_000_000_000), "<I", 4_000_000_000],
    ["64 bits", BigInt64Array.of(-7n), "<q", -7],
  ])("%s", async (_what, data, dtype, value) => {
    const { shape, values } = await readOne((file) => {
      file.create_dataset({ name: "weights", data: data as never, shape: [], dtype });
    });
    expect([shape, [...values]]).toEqual([[], [value]]);
  });
});

test("texts are UTF-8, of one length or each of its own", async () => {
  const names = ["conv", "Größe", ""];
  const bytes = write((file) => {
    file.create_attribute("each", names);
    file.create_attribute("same", names, [3], "S8");
    file.create_attribute("one", "text");
  });
  const read = await useHdf5(openHdf5, bytes, (file) =>
    ["each", "same", "one", "gone"].map((name) => file.readTexts("/", name)),
  );
  expect(read).toEqual([names, names, ["text"], undefined]);
});

describe("more than a model has is refused", () => {
  const fails = (fill: (file: File) => void, read: string) => {
    const file = openHdf5(write(fill));
    const failure = failureOf(() => (read === "" ? file.listDatasets("/") : file.readTexts("/", read)));
    file.close();
    return failure?.message;
  };

  test("objects", () => {
    const fill = (file: File) => {
      file.create_dataset({ name: "weights", data: Float32Array.of(1) });
      for (let i = 0; i < 20_000; i++) file.create_hard_link("/weights", `link${i}`);
    };
    expect(fails(fill, "")).toBe("/: expected at most 20000 objects");
  });

  test("texts", () => {
    const fill = (file: File) => {
      file.create_attribute("names", new Array<string>(100_001).fill(""));
    };
    expect(fails(fill, "names")).toBe(
      "attribute names of /: expected at most 100000 texts and 16777216 bytes, got 100001 texts of 4 bytes",
    );
  });

  test("text", () => {
    const fill = (file: File) => {
      file.create_attribute("names", new Array<string>(3).fill("x".repeat(8 << 20)));
    };
    expect(fails(fill, "names")).toBe("attribute names of /: expected at most 16777216 bytes of text");
  });
});
