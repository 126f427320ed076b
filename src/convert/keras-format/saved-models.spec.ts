import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { ready } from "h5wasm";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { convertKeras } from "../convert-keras.ts";
import { fingerprintVectorSpace } from "../fingerprint.ts";
import { createHdf5Opener } from "../hdf5/h5wasm-file.ts";
import { layerTable } from "../layers/layer-table.ts";
import { type KerasFormat, type ReadKerasModel, readKerasModel } from "./read-keras-model.ts";

// Tiny networks as real Keras saved them, each in every format; fixtures/README.md has the list.
const folder = new URL("../../../fixtures/golden/saved/", import.meta.url);
const files = readdirSync(folder).filter((file) => file !== "bad");
const names = files
  .filter((file) => /^[a-z]+\.json$/.test(file))
  .map((file) => file.slice(0, -".json".length));

interface Golden {
  readonly what: string;
  readonly tolerance: number;
  /** By layer/variable: shape and values. */
  readonly weights: Readonly<Record<string, readonly [readonly number[], string]>>;
  readonly input: { readonly shape: readonly number[]; readonly values: string };
  readonly output: { readonly shape: readonly number[]; readonly values: string };
}

const read = async (path: string) => new Uint8Array(readFileSync(new URL(path, folder)));
const decodeFloats = (base64: string) =>
  new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
const openHdf5 = createHdf5Opener(await ready);
const loadHdf5 = async () => openHdf5;

/** What a file of each ending is, and whether its topology stands in a file of its own. */
const endings: Readonly<Record<string, { format: KerasFormat; topology?: string }>> = {
  "big-endian.notop.h5": { format: "keras-h5-weights", topology: "keras2.topology.json" },
  "keras1.notop.h5": { format: "keras-h5-weights", topology: "keras2.topology.json" },
  "keras2.h5": { format: "keras-h5" },
  "keras2.keras": { format: "keras-3" },
  "keras2.notop.h5": { format: "keras-h5-weights", topology: "keras2.topology.json" },
  "keras2-13.weights.h5": { format: "keras-h5-weights", topology: "keras2.topology.json" },
  "keras2.weights.h5": { format: "keras-h5-weights", topology: "keras2.topology.json" },
  "keras3.h5": { format: "keras-h5" },
  "keras3.keras": { format: "keras-3" },
  "keras3.weights.h5": { format: "keras-h5-weights", topology: "keras3.topology.json" },
  "split-names.notop.h5": { format: "keras-h5-weights", topology: "keras2.topology.json" },
  "tfjs.json": { format: "tfjs-layers" },
};

const cases = names.flatMap((name) =>
  Object.entries(endings)
    .map(([ending, { format, topology }]) => ({
      name,
      file: `${name}.${ending}`,
      format,
      ...(topology && { topology: `${name}.${topology}` }),
    }))
    .filter(({ file }) => files.includes(file)),
);

const goldenOf = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Golden;

function convert(model: ReadKerasModel, golden: Golden) {
  const inputShape = golden.input.shape.slice(1);
  return convertKeras(model, { outputLayer: model.topology.outputs[0]!.layer, inputShape });
}

function fingerprint(model: ReadKerasModel): string {
  const hash = createHash("sha256");
  const settings = { preprocess: {}, pooling: "avg", normalisation: "l2", precision: "fp32" };
  return fingerprintVectorSpace(model.weights, [...model.weights.keys()], settings, {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  });
}

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

test("every file of weights or of a whole model is read", () => {
  const others = files.filter(
    (file) => !/topology\.json$|\.bin$/.test(file) && !names.includes(file.replace(/\.json$/, "")),
  );
  expect(cases.map(({ file }) => file).sort()).toEqual(others.sort());
  expect(cases.length).toBeGreaterThan(40);
});

test.each(cases)(
  "$file has the weights that Keras has, by name",
  async ({ name, file, format, topology }) => {
    const golden = goldenOf(name);
    const model = await readKerasModel({ file, ...(topology && { topology }), read, loadHdf5 });
    expect(model.format).toBe(format);
    expect([...model.weights.keys()].sort()).toEqual(Object.keys(golden.weights).sort());
    for (const [weight, [shape, values]] of Object.entries(golden.weights)) {
      expect([weight, model.weights.get(weight)]).toEqual([weight, { shape, data: decodeFloats(values) }]);
    }
  },
);

describe.each(names)("%s", (name) => {
  const golden = goldenOf(name);
  const own = cases.filter((one) => one.name === name);

  test("all formats give one fingerprint", async () => {
    const models = await Promise.all(own.map((one) => readKerasModel({ ...one, read, loadHdf5 })));
    expect(new Set(models.map(fingerprint)).size).toBe(1);
  });

  test.each(own)("$file, converted, gives what Keras gives", async (one) => {
    const model = await readKerasModel({ ...one, read, loadHdf5 });
    const unknown = model.topology.layers.find(
      ({ className }) => className !== "InputLayer" && !layerTable.has(className),
    );
    if (unknown) {
      // A class that the converter does not know yet: then its name is in the error.
      expect(() => convert(model, golden)).toThrow(`(${unknown.className}): this layer class cannot`);
      return;
    }
    const { onnx } = convert(model, golden);
    const session = await ort.InferenceSession.create(onnx);
    const input = new ort.Tensor("float32", decodeFloats(golden.input.values), golden.input.shape);
    const output = (await session.run({ input }))[session.outputNames[0]!]!;
    const expected = decodeFloats(golden.output.values);
    expect(output.dims).toEqual(golden.output.shape);
    const differences = (output.data as Float32Array).map((value, i) => Math.abs(value - expected[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(golden.tolerance);
    await session.release();
  });
});

/** What each Keras writes in its own way. */
const onlyIn: Readonly<Record<string, string>> = {
  "Custom>CustomScaleLayer": ".keras2.h5",
  CustomScaleLayer: ".keras3.keras",
  RandomBrightness: ".keras2.h5",
  TFOpLambda: ".keras2.h5",
  "ops.Add": ".keras3.keras",
  "ops.Multiply": ".keras3.keras",
  "ops.Subtract": ".keras3.keras",
  "ops.TrueDivide": ".keras3.keras",
};

test("every layer class of the converter stands in a .h5 of Keras 2 and in a .keras of Keras 3", async () => {
  for (const ending of [".keras2.h5", ".keras3.keras"]) {
    const own = cases.filter(({ file }) => file.endsWith(ending));
    const models = await Promise.all(own.map((one) => readKerasModel({ ...one, read, loadHdf5 })));
    const found = new Set(models.flatMap((model) => model.topology.layers.map((layer) => layer.className)));
    const expected = [...layerTable.keys()].filter((name) => (onlyIn[name] ?? ending) === ending);
    expect(expected.filter((className) => !found.has(className))).toEqual([]);
  }
});
