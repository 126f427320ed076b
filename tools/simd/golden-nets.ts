import { readdirSync, readFileSync } from "node:fs";
import { convertKeras } from "../../src/convert/convert-keras.ts";
import { readTfjsLayers } from "../../src/convert/keras-format/read-tfjs-layers.ts";
import type { NumberFormat } from "../../src/convert/variants/number-format.ts";

/** A tiny network, converted, with what real tf_keras gives for its input; fixtures/README.md has the format. */
export interface GoldenNet {
  readonly name: string;
  readonly onnx: Uint8Array;
  /** (N, ...): rank 2 for a network of vectors, rank 4 for one of pictures. */
  readonly inputShape: readonly number[];
  readonly input: Float32Array;
  readonly expected: Float32Array;
  /** Largest difference. */
  readonly tolerance: number;
}

interface Golden {
  readonly model: string;
  readonly tolerance: number;
  readonly input: { readonly shape: readonly number[]; readonly values: string };
  readonly output: { readonly values: string };
}

const folder = new URL("../../fixtures/golden/convert/", import.meta.url);
const readJson = (file: string) => JSON.parse(readFileSync(new URL(file, folder), "utf8"));
const readFloats = (base64: string) =>
  new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);

export const goldenNetNames = readdirSync(folder)
  .filter((file) => file.endsWith(".json") && !file.endsWith(".model.json"))
  .map((file) => file.slice(0, -".json".length));

/** Networks of pictures that the SIMD engine passes over, and what its error says. */
export const notOnSimd: ReadonlyMap<string, string> = new Map([
  ["activation-exponential", 'node "activation/Exp" (Exp): this operator is not known'],
  ["add-broadcast", 'node "add/Add" (Add): shapes (N, 3, 4, 5) and (N, 1, 4, 5) are not joined'],
  ["permute", 'node "permute/Transpose" (Transpose): the order 0,3,1,2 of NCHW is not known'],
  ["relu-all", 'node "re_lu/ThresholdedRelu" (ThresholdedRelu): this operator is not known'],
  ["relu-leak-cut", 'node "re_lu/Sub" (Sub): this operator is not known'],
  ["relu-threshold", 'node "re_lu/ThresholdedRelu" (ThresholdedRelu): this operator is not known'],
  ["reshape-picture", 'node "reshape/Reshape" (Reshape): expected its input 0 to be (N, C, H, W) or (N, C)'],
  ["reshape-vector", 'node "reshape/Reshape" (Reshape): expected its input 0 to be (N, C, H, W) or (N, C)'],
]);

/** @param format how the converted network holds its numbers; by default float32 */
export async function openGoldenNet(name: string, format?: NumberFormat): Promise<GoldenNet> {
  const golden: Golden = readJson(`${name}.json`);
  const model = readJson(golden.model);
  const { onnx } = await convertKeras(
    await readTfjsLayers(model, async (file) => readFileSync(new URL(file, folder))),
    {
      // As Keras names the layer that gives the whole network's output.
      outputLayer: model.modelTopology.model_config.config.output_layers[0][0],
      inputShape: golden.input.shape.slice(1),
      ...(format && { format }),
    },
  );
  return {
    name,
    onnx,
    inputShape: golden.input.shape,
    input: readFloats(golden.input.values),
    expected: readFloats(golden.output.values),
    tolerance: golden.tolerance,
  };
}
