import { addActivation } from "../activations.ts";
import { formatShape, unsupportedLayer } from "../convert-error.ts";
import { int, ints } from "../graph.ts";
import type { LayerHandler } from "../layer-handler.ts";
import { imageInput } from "../layer-inputs.ts";
import { readChoice, readFlag, readSize, readSizePair, requireSetting } from "../layer-settings.ts";
import { placeWindow } from "../window.ts";

/** Keras `Conv2D`: kernel (kh, kw, channels, filters) and bias (filters). */
export const conv2d: LayerHandler = (context) => {
  const { layer } = context;
  const input = imageInput(context);
  const [height, width, channels] = input.shape;
  requireSetting(layer, "data_format", "channels_last");
  requireSetting(layer, "groups", 1);
  const filters = readSize(layer, "filters");
  const kernel = readSizePair(layer, "kernel_size");
  const strides = readSizePair(layer, "strides", [1, 1]);
  const dilation = readSizePair(layer, "dilation_rate", [1, 1]);
  // TensorFlow itself refuses this pair, so no file trained with it can exist.
  if (Math.max(...dilation) > 1 && Math.max(...strides) > 1) {
    throw unsupportedLayer(
      layer,
      `dilation_rate is ${formatShape(dilation)} with strides ${formatShape(strides)}; one of them must be (1, 1)`,
    );
  }
  const padding = readChoice(layer, "padding", ["valid", "same"]);
  const { pads, output } = placeWindow({ input: [height, width], kernel, strides, dilation, padding });

  const shape = [...kernel, channels, filters] as const;
  const weights = context.constant("kernel", {
    kind: "float32",
    shape: [shape[3], shape[2], shape[0], shape[1]],
    data: kernelToOnnx(context.weight("kernel", shape), shape),
  });
  const tensors = [input.name, weights];
  if (readFlag(layer, "use_bias", true)) {
    const data = context.weight("bias", [filters]);
    tensors.push(context.constant("bias", { kind: "float32", shape: [filters], data }));
  }
  const convolved = context.node("Conv", tensors, {
    dilations: ints(dilation),
    group: int(1),
    kernel_shape: ints(kernel),
    pads: ints(pads),
    strides: ints(strides),
  });
  return { name: addActivation(context, convolved), shape: [...output, filters] };
};

/** (kh, kw, in, out) -> (out, in, kh, kw). */
function kernelToOnnx(
  data: Float32Array,
  [kh, kw, inputs, filters]: readonly [number, number, number, number],
) {
  const result = new Float32Array(data.length);
  const area = kh * kw;
  for (let at = 0, from = 0; at < area; at++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < filters; o++) result[(o * inputs + i) * area + at] = data[from++]!;
    }
  }
  return result;
}
