import { invalidModel } from "./convert-error.ts";
import { float } from "./graph.ts";
import type { LayerContext, TensorRef } from "./layer-handler.ts";

/** The most channels for which numbers are made up that no weight proves. No picture or network has a tenth as many. */
export const maxAffineChannels = 2 ** 20;

/** `scale` and `shift`: one number, or one for each channel. */
export interface Affine {
  readonly scale?: number | ArrayLike<number>;
  readonly shift?: number | ArrayLike<number>;
}

/**
 * x * scale + shift by channel. It is written as a batch normalisation with a mean of 0, a variance of 1 and an epsilon of 0,
 * which is the same to the bit: so every engine knows it, and `foldBatchNorm` folds it into a convolution before it.
 * @param variable begins the names of its constants
 * @throws EmbedError `CONVERT_INVALID` for more channels than `maxAffineChannels`
 */
export function addAffine(
  context: LayerContext,
  { name, shape }: TensorRef,
  { scale = 1, shift = 0 }: Affine,
  variable = "affine",
): string {
  const channels = shape.at(-1)!;
  if (channels > maxAffineChannels) {
    const { layer } = context;
    throw invalidModel(
      `layer "${layer.name}" (${layer.className}): takes ${channels} channels; expected at most ${maxAffineChannels}`,
    );
  }
  const constant = (part: string, value: number | ArrayLike<number>) => {
    const data =
      typeof value === "number" ? new Float32Array(channels).fill(value) : Float32Array.from(value);
    return context.constant(`${variable}_${part}`, { kind: "float32", shape: [channels], data });
  };
  const inputs = [
    name,
    constant("scale", scale),
    constant("shift", shift),
    constant("mean", 0),
    constant("variance", 1),
  ];
  return context.node("BatchNormalization", inputs, { epsilon: float(0) });
}
