import { readdirSync, readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { convertKeras } from "./convert-keras.ts";
import { readTfjsLayers } from "./keras-format/read-tfjs-layers.ts";

// Tiny networks with what real tf_keras gives for them; fixtures/README.md has the format.
const folder = new URL("../../fixtures/golden/convert/", import.meta.url);
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".json") && !file.endsWith(".model.json"))
  .map((file) => file.slice(0, -".json".length));

interface Golden {
  readonly what: string;
  readonly model: string;
  readonly tolerance: number;
  readonly input: { readonly shape: readonly number[]; readonly values: string };
  readonly output: { readonly shape: readonly number[]; readonly values: string };
}

const readJson = (file: string) => JSON.parse(readFileSync(new URL(file, folder), "utf8"));
const readBytes = async (file: string) => readFileSync(new URL(file, folder));
const decodeFloats = (base64: string) =>
  new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);

/** The layer that gives the whole network's output, as Keras names it. */
const outputLayerOf = (model: {
  modelTopology: { model_config: { config: { output_layers: string[][] } } };
}) => model.modelTopology.model_config.config.output_layers[0]![0]!;

async function convertGolden(golden: Golden) {
  const json = readJson(golden.model);
  const inputShape = golden.input.shape.slice(1);
  return convertKeras(await readTfjsLayers(json, readBytes), {
    outputLayer: outputLayerOf(json),
    inputShape,
  });
}

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

describe("a converted network gives what tf_keras gives", () => {
  expect(names.length).toBeGreaterThan(40);
  for (const name of names) {
    const golden: Golden = readJson(`${name}.json`);
    test(`${name}: ${golden.what}`, async () => {
      const { onnx, dimension } = await convertGolden(golden);
      const session = await ort.InferenceSession.create(onnx);
      const input = new ort.Tensor("float32", decodeFloats(golden.input.values), golden.input.shape);
      const results = await session.run({ input });
      const output = results[session.outputNames[0]!]!;
      const got = output.data as Float32Array;
      const expected = decodeFloats(golden.output.values);
      expect(output.dims).toEqual([1, dimension]);
      expect(got.length).toBe(expected.length);
      const differences = expected.map((value, i) => Math.abs(value - got[i]!));
      expect(Math.max(...differences)).toBeLessThanOrEqual(golden.tolerance);
      await session.release();
    });

    test(`${name}: the same bytes each time`, async () => {
      const first = await convertGolden(golden);
      expect(Buffer.compare(first.onnx, (await convertGolden(golden)).onnx)).toBe(0);
    });
  }
});
