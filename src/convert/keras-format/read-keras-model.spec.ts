import { readFileSync } from "node:fs";
import { ready } from "h5wasm";
import { describe, expect, test } from "vitest";
import { writeZip } from "../../../tools/write-zip.ts";
import { EmbedError } from "../../errors.ts";
import { createHdf5Opener } from "../hdf5/h5wasm-file.ts";
import { listZip, readZipEntry } from "../zip/read-zip.ts";
import { type KerasSource, readKerasModel } from "./read-keras-model.ts";

const folder = new URL("../../../fixtures/golden/saved/", import.meta.url);
const openHdf5 = createHdf5Opener(await ready);
const readGolden = (path: string) => new Uint8Array(readFileSync(new URL(path, folder)));
const encode = (text: string) => new TextEncoder().encode(text);
/** The files of `nested.keras3.keras`. */
const archive = readGolden("nested.keras3.keras");
const part = (name: string) => readZipEntry(archive, listZip(archive).get(name)!, 2 ** 20);
const [config, weights] = [await part("config.json"), await part("model.weights.h5")];

function open(files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>, source: Partial<KerasSource> = {}) {
  return readKerasModel({
    file: Object.keys(files)[0]!,
    read: async (path) => files[path] ?? readGolden(path),
    loadHdf5: async () => openHdf5,
    ...source,
  });
}

async function failure(reading: Promise<unknown>): Promise<string> {
  const error = await reading.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  expect((error as EmbedError).reason).toBe("CONVERT_INVALID");
  return (error as EmbedError).message;
}

/** The configuration with the name of one layer replaced. */
const renamed = (from: string, to: string) =>
  encode(new TextDecoder().decode(config).replaceAll(`"${from}"`, `"${to}"`));

describe("files that are no Keras model", () => {
  test.each<[string, Uint8Array<ArrayBuffer>, string]>([
    [
      "nothing",
      new Uint8Array(0),
      "expected a .keras, a .h5 or the model.json of TensorFlow.js, got 0 bytes that are none of them",
    ],
    [
      "a picture",
      encode("GIF89a"),
      "expected a .keras, a .h5 or the model.json of TensorFlow.js, got 6 bytes that are none of them",
    ],
    [
      "ONNX",
      Uint8Array.of(0x08, 0x07, 0x12, 0x00),
      "expected a .keras, a .h5 or the model.json of TensorFlow.js, got 4 bytes that are none of them",
    ],
    [
      "no JSON",
      encode("{]"),
      "JSON is no JSON: Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ],
    ["other JSON", encode('{"format": "x"}'), 'model.json: expected format "layers-model", got "x"'],
    [
      "HDF5 that ends early",
      weights.slice(0, 4000),
      `HDF5 cannot read the file: truncated file: eof = 4000, sblock->base_addr = 0, stored_eof = ${weights.length}`,
    ],
    [
      "an archive that ends early",
      archive.slice(0, 4000),
      "zip archive: its directory is missing; the file may be cut short",
    ],
    [
      "an archive of something else",
      writeZip([{ name: "a.txt", bytes: encode("a") }]),
      "zip archive: expected a .keras file with config.json, got none",
    ],
    [
      "an archive without weights",
      writeZip([{ name: "config.json", bytes: config }]),
      "zip archive: expected a .keras file with model.weights.h5, got none",
    ],
    [
      "weights that are no HDF5",
      writeZip([
        { name: "config.json", bytes: config },
        { name: "model.weights.h5", bytes: encode("none") },
      ]),
      "expected an HDF5 file, got 4 bytes that are none",
    ],
    [
      "weights in Keras 2's layout",
      writeZip([
        { name: "config.json", bytes: config },
        { name: "model.weights.h5", bytes: readGolden("nested.keras2.notop.h5") },
      ]),
      "model.weights.h5: expected a group layers, got none",
    ],
  ])("%s", async (_what, bytes, message) => {
    expect(await failure(open({ file: bytes }))).toBe(`file: ${message}`);
  });
});

describe("weights of another model", () => {
  const zip = (json: Uint8Array<ArrayBuffer>) =>
    writeZip([
      { name: "config.json", bytes: json },
      { name: "model.weights.h5", bytes: weights },
    ]);

  test("another name in a layer's place", async () => {
    expect(await failure(open({ file: zip(renamed("hidden", "other")) }))).toBe(
      'file: /layers/sequential/layers/dense/vars: holds weights of layer "hidden", the topology has "other" (Dense) in its place',
    );
  });

  test("another class in a layer's place", async () => {
    expect(await failure(open({ file: zip(renamed("Dense", "Flatten")) }))).toBe(
      "file: /layers/sequential/layers/dense/vars/0: the topology has no layer for this weight, or one of a class that is not known",
    );
  });

  test("more variables than the layer has", async () => {
    const bare = encode(new TextDecoder().decode(config).replaceAll('"use_bias": true', '"use_bias": false'));
    expect(await failure(open({ file: zip(bare) }))).toBe(
      'file: weight "/layers/conv2d/vars/1" is not one of layer "stem" (Conv2D); expected kernel',
    );
  });
});

describe("which files go together", () => {
  test("weights alone want a topology", async () => {
    expect(await failure(open({ file: weights.slice() }))).toBe(
      "file: holds weights alone; give its topology too, as the JSON that model.to_json() returns",
    );
  });

  test("a whole model wants none", async () => {
    const reading = open({}, { file: "nested.keras2.h5", topology: "nested.keras2.topology.json" });
    expect(await failure(reading)).toBe("nested.keras2.h5: has a topology of its own; give it alone");
  });

  test("nor does an archive", async () => {
    const reading = open({}, { file: "nested.keras3.keras", topology: "nested.keras3.topology.json" });
    expect(await failure(reading)).toBe(
      "nested.keras3.keras: is no .h5; a topology goes with weights in HDF5",
    );
  });
});

test("a file that was compressed again is read as well", async () => {
  const bytes = writeZip([
    { name: "config.json", bytes: config, deflate: true },
    { name: "model.weights.h5", bytes: weights, deflate: true },
  ]);
  const model = await open({ file: bytes });
  expect(model.weights).toEqual((await open({ file: archive })).weights);
});

test("weights that would grow tenfold are a bomb", async () => {
  const zeros = new Uint8Array(2 ** 20);
  const bytes = writeZip([
    { name: "config.json", bytes: config },
    { name: "model.weights.h5", bytes: zeros, deflate: true },
  ]);
  expect(await failure(open({ file: bytes }))).toBe(
    `file: zip archive: "model.weights.h5" claims ${zeros.length} bytes, the limit is ${10 * bytes.length}`,
  );
});

test("an error of the one who reads the files passes through", async () => {
  const reason = new EmbedError("MODEL_UNREACHABLE", "gone");
  const read = () => Promise.reject(reason);
  await expect(open({}, { file: "x", read })).rejects.toBe(reason);
});
