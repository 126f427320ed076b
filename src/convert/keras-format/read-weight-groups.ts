import { invalidModel } from "../convert-error.ts";
import type { Hdf5File } from "../hdf5/hdf5-file.ts";
import { findLayer } from "./find-layer.ts";
import type { KerasWeights, WeightTensor } from "./keras-model.ts";
import { variableOf } from "./layer-variables.ts";
import type { ModelEntry, ModelTree } from "./model-tree.ts";
import { parseWeightName } from "./variable-names.ts";

/** What the topology calls a layer that the file of its weights, written by another version of Keras, calls otherwise. */
export type LayerNames = ReadonlyMap<string, string>;

/**
 * Reads weights as Keras 2's HDF5 files have them (`save_weights_to_hdf5_group` in
 * keras/src/legacy/saving/legacy_h5_format.py): the attribute `layer_names` of a group lists its layers' groups, and
 * `weight_names` of each its weights. A model inside the model is one such layer.
 * @param group `/model_weights` in a whole model's file, `/` in one of weights alone
 * @param ownNames the topology's name of a layer by the file's, where they differ
 * @returns weights by `layer/variable`, in the flat topology's names
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readWeightGroups(
  hdf5: Hdf5File,
  group: string,
  tree: ModelTree,
  ownNames: LayerNames = new Map(),
): KerasWeights {
  const layerNames = readNames(hdf5, group, "layer_names");
  if (!layerNames) {
    throw invalidModel(`${group}: expected weights of Keras, got no attribute layer_names`);
  }
  refuseTheano(hdf5, group);
  const datasets = new Map(hdf5.listDatasets(group));
  const entries = new Map(tree.entries.map((entry) => [entry.name, entry]));
  const weights = new Map<string, WeightTensor>();
  for (const layerName of layerNames) {
    const layerGroup = join(group, layerName);
    for (const weightName of readNames(hdf5, layerGroup, "weight_names") ?? []) {
      const path = join(layerGroup, weightName);
      const dataset = datasets.get(path);
      if (!dataset) throw invalidModel(`${path}: the weight is listed and missing`);
      const ownName = ownNames.get(layerName) ?? layerName;
      const entry = entries.get(ownName);
      if (!entry) throw invalidModel(`${path}: the topology has no layer "${ownName}"`);
      const name = nameWeight(entry, weightName, path);
      if (weights.has(name)) throw invalidModel(`${path}: is a second weight "${name}"`);
      datasets.delete(path);
      weights.set(name, { shape: dataset.shape, data: hdf5.readFloats(dataset) });
    }
  }
  const [extra] = datasets.keys();
  if (extra !== undefined) throw invalidModel(`${extra}: the weight is listed in no weight_names`);
  return weights;
}

/** The weight's name in the flat topology. */
function nameWeight(entry: ModelEntry, weightName: string, path: string): string {
  const { prefix, variable } = parseWeightName(weightName);
  if (!entry.model) return `${entry.name}/${variableOf(entry.className, variable)}`;
  const layer = findLayer(entry.model, entry.name, prefix, path);
  return `${layer.name}/${variableOf(layer.className, variable)}`;
}

/** HDF5 holds at most 64 KB in an attribute; Keras spreads longer lists over `name0`, `name1` and so on. */
function readNames(hdf5: Hdf5File, group: string, attribute: string): readonly string[] | undefined {
  const whole = hdf5.readTexts(group, attribute);
  if (whole) return whole;
  const names: string[] = [];
  for (let part = 0; ; part++) {
    const some = hdf5.readTexts(group, `${attribute}${part}`);
    if (!some) return part === 0 ? undefined : names;
    names.push(...some);
  }
}

/** Theano turned kernels by half a circle; Keras turns them back when it knows. */
function refuseTheano(hdf5: Hdf5File, group: string): void {
  const backend = hdf5.readTexts(group, "backend")?.[0];
  if (backend === "theano" || backend === "cntk") {
    throw invalidModel(`${group}: expected weights in TensorFlow's layout, got those of backend ${backend}`);
  }
}

function join(group: string, name: string): string {
  return group === "/" ? `/${name}` : `${group}/${name}`;
}
