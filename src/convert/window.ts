/** Where a convolution's or a pool's window stands on a picture. */
interface WindowSpec {
  /** Pixels of the input. */
  readonly input: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly strides: readonly [height: number, width: number];
  readonly dilation: readonly [height: number, width: number];
  readonly padding: "valid" | "same";
}

interface PlacedWindow {
  /** Pixels that pad the input, in ONNX's order. */
  readonly pads: readonly [top: number, left: number, bottom: number, right: number];
  /** Pixels of the output; below 1 if the window does not fit. */
  readonly output: readonly [height: number, width: number];
}

/**
 * Places a window as TensorFlow does (`GetWindowedOutputSizeVerbose` in tensorflow/core/framework/kernel_shape_util.cc):
 * "same" pads so that the output is ceil(input / stride), the odd pixel below and on the right.
 */
export function placeWindow(spec: WindowSpec): PlacedWindow {
  const [top, bottom, height] = placeAlong(spec, 0);
  const [left, right, width] = placeAlong(spec, 1);
  return { pads: [top, left, bottom, right], output: [height, width] };
}

function placeAlong(spec: WindowSpec, axis: 0 | 1): readonly [before: number, after: number, output: number] {
  const input = spec.input[axis];
  const stride = spec.strides[axis];
  const reach = (spec.kernel[axis] - 1) * spec.dilation[axis] + 1;
  if (spec.padding === "valid") return [0, 0, Math.floor((input - reach) / stride) + 1];
  const output = Math.ceil(input / stride);
  const total = Math.max((output - 1) * stride + reach - input, 0);
  const before = Math.floor(total / 2);
  return [before, total - before, output];
}
