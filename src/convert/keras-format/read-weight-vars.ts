import { invalidModel } from "../convert-error.ts";
import type { Hdf5Dataset, Hdf5File } from "../hdf5/hdf5-file.ts";
import { flatName } from "./flatten-model.ts";
import type { KerasWeights, WeightTensor } from "./keras-model.ts";
import { listVariables } from "./layer-variables.ts";
import type { ModelEntry, ModelTree } from "./model-tree.ts";

/** What Keras 3 calls the layers of a model, and what Keras 2.13 called them. */
const roots = ["layers", "_layer_checkpoint_dependencies"] as const;

/**
 * Reads weights as Keras 3 writes them (`_save_state` in keras/src/saving/saving_lib.py): the n-th layer of a class
 * among its siblings has the group `layers/<class in snake case>_<n>`, without a number for the first, and its
 * variables are datasets `vars/<number>` in it. A model inside the model has `layers` of its own. Newer files also say
 * the layer's name, and then both must agree.
 * @returns weights by `layer/variable`, in the flat topology's names; undefined if the file has another layout
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readWeightVars(hdf5: Hdf5File, tree: ModelTree): KerasWeights | undefined {
  const names = hdf5.listNames("/");
  const root = roots.find((name) => names.includes(name));
  if (root === undefined) return undefined;
  const left = new Map(hdf5.listDatasets(`/${root}`));
  const weights = new Map<string, WeightTensor>();
  readModel(hdf5, tree, { root, path: "", scope: "" }, left, weights);
  // A layer that draws at random, such as Dropout, keeps its seed, which is no weight.
  const extra = [...left.keys()].find((path) => !path.includes("/seed_generator/"));
  if (extra !== undefined)
    throw invalidModel(
      `${extra}: the topology has no layer for this weight, or one of a class that is not known`,
    );
  return weights;
}

interface Place {
  readonly root: string;
  /** Of the model's group. */
  readonly path: string;
  /** Of the model in the flat topology. */
  readonly scope: string;
}

function readModel(
  hdf5: Hdf5File,
  tree: ModelTree,
  { root, path, scope }: Place,
  left: Map<string, Hdf5Dataset>,
  weights: Map<string, WeightTensor>,
): void {
  const groups = countGroups();
  for (const entry of tree.entries) {
    // Operations such as keras.ops.add are no layers: they are saved nowhere and not counted.
    if (entry.module?.startsWith("keras.src.ops")) continue;
    const group = `${path}/${root}/${groups(entry.className)}`;
    const name = flatName(scope, entry.name);
    if (entry.model) readModel(hdf5, entry.model, { root, path: group, scope: name }, left, weights);
    else readLayer(hdf5, entry, `${group}/vars`, name, left, weights);
  }
}

function readLayer(
  hdf5: Hdf5File,
  entry: ModelEntry,
  group: string,
  name: string,
  left: Map<string, Hdf5Dataset>,
  weights: Map<string, WeightTensor>,
): void {
  const numbers = hdf5.listNames(group);
  if (numbers.length === 0) return;
  const saved = hdf5.readTexts(group, "name")?.[0];
  if (saved !== undefined && saved !== entry.name) {
    throw invalidModel(
      `${group}: holds weights of layer "${saved}", the topology has "${entry.name}" (${entry.className}) in its place`,
    );
  }
  const variables = listVariables(entry.className, entry.config);
  const isExpected = (number: string) => (variables ? Number(number) < variables.length : true);
  const odd = numbers.find((number) => !/^(0|[1-9]\d*)$/.test(number) || !isExpected(number));
  if (odd !== undefined) {
    const known = variables?.join(", ") || "no weights";
    throw invalidModel(
      `weight "${group}/${odd}" is not one of layer "${name}" (${entry.className}); expected ${known}`,
    );
  }
  for (const number of numbers) {
    const dataset = left.get(`${group}/${number}`);
    if (!dataset) throw invalidModel(`${group}/${number}: expected a dataset`);
    left.delete(dataset.path);
    // A class of unknown order keeps the numbers: the converter has no layer for it either.
    const variable = variables?.[Number(number)] ?? number;
    weights.set(`${name}/${variable}`, { shape: dataset.shape, data: hdf5.readFloats(dataset) });
  }
}

/** Names the group of each layer in turn, as `_get_unique_name` does. */
function countGroups(): (className: string) => string {
  const used = new Map<string, number>();
  return (className) => {
    const base = toSnakeCase(className);
    const number = used.get(base) ?? 0;
    used.set(base, number + 1);
    return number === 0 ? base : `${base}_${number}`;
  };
}

/** `to_snake_case` in keras/src/utils/naming.py: Conv2D is conv2d, PReLU is p_re_lu. */
export function toSnakeCase(className: string): string {
  return className
    .replace(/\W+/g, "")
    .replace(/(.)([A-Z][a-z]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
