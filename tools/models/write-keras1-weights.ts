import h5wasm from "h5wasm/node";
import type { KerasWeights } from "../../src/convert/keras-format/keras-model.ts";
import { splitWeightName } from "../../src/convert/keras-format/keras-model.ts";

/** What Keras 1 called a variable. */
const keras1Names: ReadonlyMap<string, string> = new Map([
  ["kernel", "W"],
  ["bias", "b"],
  ["moving_mean", "running_mean"],
  ["moving_variance", "running_std"],
]);

interface Keras1File {
  /** Every layer in order, also those without weights, in the file's own names. */
  readonly layers: readonly string[];
  readonly weights: KerasWeights;
  /** Behind a variable's name, for example `_1`. */
  readonly suffix: string;
}

/**
 * Writes weights alone as Keras 1 did: the layout of the official releases of VGG16, VGG19 (suffix `_1`) and Xception (none), down to
 * the empty lists of floats that h5py makes of layers without weights.
 */
export async function writeKeras1Weights(
  file: string,
  { layers, weights, suffix }: Keras1File,
): Promise<void> {
  await h5wasm.ready;
  const hdf5 = new h5wasm.File(file, "w");
  const byLayer = Map.groupBy(weights, ([name]) => splitWeightName(name).layer);
  hdf5.create_attribute("layer_names", [...layers], null, textType(layers));
  for (const layer of layers) {
    const group = hdf5.create_group(layer);
    const named = (byLayer.get(layer) ?? []).map(([name, weight]) => {
      const { variable } = splitWeightName(name);
      return [`${layer}_${keras1Names.get(variable) ?? variable}${suffix}:0`, weight] as const;
    });
    const names = named.map(([name]) => name);
    if (names.length === 0) group.create_attribute("weight_names", new Float64Array(0), [0], "<d");
    else group.create_attribute("weight_names", names, null, textType(names));
    for (const [name, { data, shape }] of named) {
      group.create_dataset({ name, data, shape: [...shape], dtype: "<f" });
    }
  }
  hdf5.close();
}

/** Texts of one length, as numpy has them. */
const textType = (texts: readonly string[]) => `S${Math.max(...texts.map((text) => text.length))}` as const;
