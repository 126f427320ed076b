import { formatShape, invalidModel } from "./convert-error.ts";
import { type KerasLayer, type KerasWeights, splitWeightName } from "./keras-format/keras-model.ts";
import type { LayerContext } from "./layer-handler.ts";
import { readFlag } from "./layer-settings.ts";

/** The weights of one layer, and which of them its handler took. */
interface LayerWeights {
  /** @throws EmbedError `CONVERT_INVALID` if the weight is missing or has another shape or length */
  take(variable: string, shape: readonly number[]): Float32Array;
  /** @throws EmbedError `CONVERT_INVALID` if the file holds weights of this layer that were not taken */
  assertAllTaken(): void;
}

/** Names of all weights by layer, so that a layer's leftovers are found without a walk over all. */
export function groupWeightNames(weights: KerasWeights): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(weights.keys(), (name) => splitWeightName(name).layer);
}

/** @param taken gathers the names of all weights that the output depends on */
export function openLayerWeights(
  layer: KerasLayer,
  weights: KerasWeights,
  namesOfLayer: readonly string[],
  taken: Set<string>,
): LayerWeights {
  const expected = new Set<string>();
  return {
    take(variable, shape) {
      const name = `${layer.name}/${variable}`;
      const weight = weights.get(name);
      if (!weight) throw invalidModel(`weight "${name}" is missing; expected shape ${formatShape(shape)}`);
      if (formatShape(weight.shape) !== formatShape(shape)) {
        throw invalidModel(
          `weight "${name}": expected shape ${formatShape(shape)}, got ${formatShape(weight.shape)}`,
        );
      }
      const count = shape.reduce((a, b) => a * b, 1);
      if (weight.data.length !== count) {
        throw invalidModel(`weight "${name}": expected ${count} values, got ${weight.data.length}`);
      }
      expected.add(name);
      taken.add(name);
      return weight.data;
    },
    assertAllTaken() {
      const extra = namesOfLayer.find((name) => !expected.has(name));
      if (extra !== undefined) {
        const known = [...expected].map((name) => splitWeightName(name).variable).join(", ") || "no weights";
        throw invalidModel(
          `weight "${extra}" is not one of layer "${layer.name}" (${layer.className}); expected ${known}`,
        );
      }
    },
  };
}

/** The constant of the weight `bias` (filters), where the layer's setting `use_bias` says that there is one. */
export function addBias(context: LayerContext, filters: number): { readonly bias?: string } {
  if (!readFlag(context.layer, "use_bias", true)) return {};
  const data = context.weight("bias", [filters]);
  return { bias: context.constant("bias", { kind: "float32", shape: [filters], data }) };
}
