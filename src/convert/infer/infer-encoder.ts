import { EmbedError } from "../../errors.ts";
import { invalidModel } from "../convert-error.ts";
import { isCount, showJson } from "../keras-format/json.ts";
import type { KerasLayer, KerasTopology } from "../keras-format/keras-model.ts";
import { findHandler } from "../layers/find-handler.ts";
import { sortCalls } from "../sort-calls.ts";
import { type Features, findFeatures, type Pooling } from "./find-features.ts";
import { findArchitecture, type ImageMode } from "./known-architectures.ts";

/** What the user says of a model; the rest is inferred. */
export interface EncoderWishes {
  readonly outputLayer?: string;
  readonly pooling?: Pooling;
  readonly size?: Size;
  readonly mode?: ImageMode;
}

export interface Size {
  readonly height: number;
  readonly width: number;
}

/** How a Keras model makes a vector of a picture, and why it is taken to do so. */
export interface Encoder extends Omit<Features, "why"> {
  readonly size: Size;
  readonly mode: ImageMode;
  readonly why: EncoderReasons;
}

export interface EncoderReasons {
  readonly output: string;
  readonly pooling: string;
  readonly size: string;
  readonly mode: string;
}

/** Layers that scale pictures: a model that has one takes them as they are. */
const scalingLayers = ["Normalization", "Rescaling"];

/** Arithmetic that stands before the first weights does what a channel mode does. */
const arithmetic = /^(TFOpLambda|SlicingOpLambda|ops\..*|GetItem|Subtract|Multiply|Divide|TrueDivide|Add)$/;

/** Layers that have weights, and so make features of pictures. */
const hasWeights = /Conv|Dense|BatchNormalization/;

/**
 * Infers what turns a Keras model into an encoder of pictures.
 * @throws EmbedError `CONFIG_INVALID` naming the flag that must say what does not follow; `CONVERT_INVALID`;
 *   `CONVERT_UNSUPPORTED_LAYER` for a layer of no known class
 */
export function inferEncoder(topology: KerasTopology, wishes: EncoderWishes): Encoder {
  const features = findFeatures(topology, wishes);
  const layers = sortCalls(features.topology, features.endLayer).map(({ layer }) => layer);
  // Nobody is asked how to scale pictures for a model that cannot be converted.
  for (const layer of layers) if (layer.className !== "InputLayer") findHandler(layer);
  const architecture = findArchitecture(layers.map(({ name }) => name));
  const size = inferSize(layers, wishes.size, architecture);
  const mode = inferMode(layers, wishes.mode, architecture);
  return {
    ...features,
    size: size.value,
    mode: mode.value,
    why: { ...features.why, size: size.why, mode: mode.why },
  };
}

type Architecture = ReturnType<typeof findArchitecture>;

interface Inferred<T> {
  readonly value: T;
  readonly why: string;
}

function inferSize(
  layers: readonly KerasLayer[],
  wish: Size | undefined,
  architecture: Architecture,
): Inferred<Size> {
  const [input, ...others] = layers.filter(({ className }) => className === "InputLayer");
  if (!input || others.length > 0) {
    throw invalidModel(`expected a model with one input layer, got ${input ? others.length + 1 : 0}`);
  }
  const shape = input.config.batch_input_shape ?? input.config.batch_shape;
  const what = `layer "${input.name}" (InputLayer)`;
  if (!isPictures(shape)) {
    throw invalidModel(`${what}: expected pictures, (batch, height, width, 3), got ${showJson(shape)}`);
  }
  const [height, width] = [shape[1] ?? undefined, shape[2] ?? undefined];
  if (wish) {
    const fits = (height ?? wish.height) === wish.height && (width ?? wish.width) === wish.width;
    if (fits) return { value: wish, why: "asked for" };
    throw new EmbedError(
      "CONFIG_INVALID",
      `--size ${wish.height}x${wish.width}: ${what} takes pictures of ${height ?? "any"} x ${width ?? "any"}`,
    );
  }
  if (height !== undefined && width !== undefined) {
    return { value: { height, width }, why: `of layer "${input.name}"` };
  }
  if (!architecture) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `${what} takes pictures of any size; say which with --size, for example --size 224x224`,
    );
  }
  const { name, side } = architecture;
  return { value: { height: height ?? side, width: width ?? side }, why: `what ${name} was trained on` };
}

function isPictures(shape: unknown): shape is readonly (number | null)[] {
  return (
    Array.isArray(shape) &&
    shape.length === 4 &&
    shape.slice(1).every((size) => size === null || (isCount(size) && size > 0)) &&
    shape[3] === 3
  );
}

function inferMode(
  layers: readonly KerasLayer[],
  wish: ImageMode | undefined,
  architecture: Architecture,
): Inferred<ImageMode> {
  const scaling = findScaling(layers);
  const itself = `the model scales pictures itself, in layer "${scaling?.name}" (${scaling?.className})`;
  if (wish) {
    const isTwice = scaling !== undefined && wish !== "none";
    return { value: wish, why: isTwice ? `asked for, though ${itself}` : "asked for" };
  }
  if (scaling) return { value: "none", why: itself };
  if (architecture) {
    return { value: architecture.mode, why: `its layers are those of ${architecture.name}` };
  }
  throw new EmbedError(
    "CONFIG_INVALID",
    "the model is none that is known, and nothing in it says how its pictures are scaled; say it with --preprocess caffe, tf, torch or none",
  );
}

function findScaling(layers: readonly KerasLayer[]): KerasLayer | undefined {
  const first = layers.findIndex(({ className }) => hasWeights.test(className));
  const before = layers.slice(0, first < 0 ? layers.length : first);
  return (
    layers.find(({ className }) => scalingLayers.includes(className)) ??
    before.find(({ className }) => arithmetic.test(className))
  );
}
