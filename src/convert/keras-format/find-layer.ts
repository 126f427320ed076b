import { invalidModel } from "../convert-error.ts";
import { flatName } from "./flatten-model.ts";
import type { ModelTree } from "./model-tree.ts";

interface FoundLayer {
  /** In the flat topology. */
  readonly name: string;
  readonly className: string;
}

interface NamedLayer extends FoundLayer {
  /** In its own model. */
  readonly own: string;
}

/**
 * The layer that the prefix of a weight's name means, in a model or in those inside it. A file may have the layer's
 * own name, or more of them in front: `conv`, `base/conv`.
 * @param scope of the model, empty for the outermost
 * @param what is being read, for messages
 * @throws EmbedError `CONVERT_INVALID` if there is none, or several of one name
 */
export function findLayer(model: ModelTree, scope: string, prefix: string, what: string): FoundLayer {
  const layers = listLayers(model, scope);
  const exact = layers.find(({ name }) => name === prefix);
  if (exact) return exact;
  const found = layers.filter(({ own }) => prefix === own || prefix.endsWith(`/${own}`));
  // Of conv and block/conv, it is the one whose name says more.
  const longest = Math.max(...found.map(({ own }) => own.length));
  const [layer, ...others] = found.filter(({ own }) => own.length === longest);
  if (!layer) throw invalidModel(`${what}: the topology has no layer "${prefix}"`);
  if (others.length > 0) {
    throw invalidModel(`${what}: may belong to layer "${layer.name}" or to "${others[0]!.name}"`);
  }
  return layer;
}

const listed = new WeakMap<ModelTree, readonly NamedLayer[]>();

function listLayers(model: ModelTree, scope: string): readonly NamedLayer[] {
  const known = listed.get(model);
  if (known) return known;
  const layers = model.entries.flatMap((entry) => {
    const name = flatName(scope, entry.name);
    return entry.model
      ? listLayers(entry.model, name)
      : [{ name, own: entry.name, className: entry.className }];
  });
  listed.set(model, layers);
  return layers;
}
