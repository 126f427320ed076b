import { EmbedError } from "../../errors.ts";
import { invalidModel } from "../convert-error.ts";
import type { KerasLayer, KerasTopology, TensorSource } from "../keras-format/keras-model.ts";
import { findOutput } from "../sort-calls.ts";
import { globalPoolings, rankOf, walkBack } from "./walk-back.ts";

export type Pooling = "avg" | "max" | "none";

interface FeatureWishes {
  /** Layer whose output is the vector, or the picture that is pooled to it. Default: the model's end, without a classifier. */
  readonly outputLayer?: string;
  /** What is done to an output that is still a picture. Default: avg. */
  readonly pooling?: Pooling;
}

export interface Features {
  /** The model, with a pooling layer at its end where it has none of its own. */
  readonly topology: KerasTopology;
  /** Of that topology: its output is the vector. */
  readonly endLayer: string;
  /** Of the model itself: what its user knows. */
  readonly outputLayer: string;
  /** What makes the vector of the last picture, whether the model does it or the layer that was added. */
  readonly pooling: Pooling;
  /** Why this layer, and why this pooling. */
  readonly why: { readonly output: string; readonly pooling: string };
}

/** The layer that is put behind a model that does not pool. */
const poolingLayer = "portico_pooling";

/** Last layers that are a classifier without an activation that says so. */
const classifierNames = ["predictions", "logits", "fc1000"];

/**
 * Finds where a network's features are. A classifier at the end is left out: the features are what its last global
 * pooling gives or, where it flattens instead as VGG does, the picture before that, pooled. A network without one ends
 * in its features.
 * @throws EmbedError `CONFIG_INVALID` if that does not follow, or the wishes do not fit; `CONVERT_INVALID`
 */
export function findFeatures(topology: KerasTopology, wishes: FeatureWishes): Features {
  const { source, why } =
    wishes.outputLayer === undefined ? findEnd(topology) : named(topology, wishes.outputLayer);
  const layer = layerOf(topology, source);
  const own = globalPoolings.get(layer.className);
  if (own) return poolOf(topology, source, layer, own, wishes, why);
  const rank = rankOf(topology, source);
  const what = `layer "${source.layer}" (${layer.className})`;
  if (rank === 3) {
    const pooling = wishes.pooling ?? "avg";
    const whyPooling = wishes.pooling ? "asked for" : "the output is a picture; --pooling says otherwise";
    return end(topology, source, source, pooling, { output: why, pooling: whyPooling });
  }
  if (rank !== 1) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `${what} gives neither a picture nor a vector; name a layer that does with --output-layer`,
    );
  }
  if (wishes.pooling && wishes.pooling !== "none") {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--pooling ${wishes.pooling}: ${what} gives a vector; only a picture can be pooled`,
    );
  }
  return end(topology, source, source, "none", { output: why, pooling: "the output is a vector" });
}

interface Found {
  readonly source: TensorSource;
  readonly why: string;
}

function named(topology: KerasTopology, name: string): Found {
  if (!topology.layers.some((layer) => layer.name === name)) {
    const names = topology.layers.map((layer) => layer.name);
    throw new EmbedError(
      "CONFIG_INVALID",
      `--output-layer ${name}: the model has no such layer; its last are ${names.slice(-5).join(", ")}`,
    );
  }
  return { source: findOutput(topology, name), why: "asked for" };
}

function findEnd(topology: KerasTopology): Found {
  const [source, ...others] = topology.outputs;
  if (!source || others.length > 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `the model has ${topology.outputs.length} outputs; name the layer of the vector with --output-layer`,
    );
  }
  const path = [...walkBack(topology, source)];
  const classifier = findClassifier(path.map(({ layer }) => layer));
  if (classifier === undefined) return { source, why: "the model ends there" };
  const pooled = path.find(({ layer }) => globalPoolings.has(layer.className));
  const left = `its classifier "${classifier}" is left out`;
  if (pooled) return { source: { layer: pooled.layer.name, call: pooled.call }, why: left };
  const flat = path.find(({ layer }) => layer.className === "Flatten");
  const picture = flat?.layer.calls[flat.call]?.[0];
  if (!flat || !picture) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `the model ends in the classifier "${classifier}", and nothing says where its features are; name their layer with --output-layer`,
    );
  }
  return { source: picture, why: `${left}, beginning with "${flat.layer.name}"` };
}

/** The name of the classifier that a network ends in, looked for behind what changes no class. */
function findClassifier(path: readonly KerasLayer[]): string | undefined {
  for (const { name, className, config } of path) {
    const isSoft = ["softmax", "sigmoid"].includes(config.activation as string);
    if (className === "Softmax" || (isSoft && ["Activation", "Conv2D", "Dense"].includes(className)))
      return name;
    if (["Conv2D", "Dense"].includes(className)) {
      return classifierNames.includes(name.split("/").at(-1)!) ? name : undefined;
    }
    if (!["Activation", "Dropout", "Flatten", "Reshape"].includes(className)) return undefined;
  }
  return undefined;
}

/** Features that a global pooling gives. */
function poolOf(
  topology: KerasTopology,
  source: TensorSource,
  layer: KerasLayer,
  own: "avg" | "max",
  wishes: FeatureWishes,
  whyOutput: string,
): Features {
  const picture = layer.calls[source.call]?.[0];
  if (!picture) throw invalidModel(`layer "${layer.name}" (${layer.className}) takes nothing`);
  if (wishes.pooling && wishes.pooling !== own) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--pooling ${wishes.pooling}: layer "${layer.name}" (${layer.className}) pools already; give what it takes as --output-layer ${picture.layer}`,
    );
  }
  const why = { output: whyOutput, pooling: `layer "${layer.name}" does it` };
  // One that keeps the axes it pooled gives a picture of one pixel: pooling what it takes gives the same as a vector.
  if (layer.config.keepdims === true) return end(topology, source, picture, own, why);
  return { topology, endLayer: at(topology, source), outputLayer: source.layer, pooling: own, why };
}

/** Ends the model in features: `picture` is pooled where that is asked for. */
function end(
  topology: KerasTopology,
  output: TensorSource,
  picture: TensorSource,
  pooling: Pooling,
  why: Features["why"],
): Features {
  const outputLayer = output.layer;
  if (pooling === "none") return { topology, endLayer: at(topology, picture), outputLayer, pooling, why };
  const className = [...globalPoolings].find(([, does]) => does === pooling)![0];
  const layer: KerasLayer = {
    name: poolingLayer,
    className,
    config: { data_format: "channels_last", keepdims: false },
    calls: [[picture]],
  };
  const pooled = { ...topology, layers: [...topology.layers, layer] };
  return { topology: pooled, endLayer: poolingLayer, outputLayer, pooling, why };
}

/** The converter ends at the call of a layer that is the model's output, else at its first. */
function at(topology: KerasTopology, { layer, call }: TensorSource): string {
  if (call === findOutput(topology, layer).call) return layer;
  throw new EmbedError(
    "CONFIG_INVALID",
    `layer "${layer}" is called several times, and its call ${call} is the output; name another layer with --output-layer`,
  );
}

function layerOf(topology: KerasTopology, { layer: name }: TensorSource): KerasLayer {
  const layer = topology.layers.find((one) => one.name === name);
  if (!layer) throw invalidModel(`topology: there is no layer "${name}"`);
  return layer;
}
