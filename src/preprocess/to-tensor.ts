import type { Pixels } from "../image/pixels.ts";
import type { ChannelMode } from "./preprocess-spec.ts";

/** One channel of the tensor: which colour it is, and what becomes of a sample, step by step in float32. */
interface Channel {
  readonly colour: 0 | 1 | 2;
  convert(sample: number): number;
}

/**
 * `preprocess_input` of keras_applications 1.0.8 (imagenet_utils.py) for a float32 array. Each operation rounds to
 * float32, constants included, as NumPy does in place.
 */
const channelModes: Record<ChannelMode, readonly [Channel, Channel, Channel]> = {
  // BGR, less the mean of ImageNet.
  caffe: [
    { colour: 2, convert: (sample) => sample - Math.fround(103.939) },
    { colour: 1, convert: (sample) => sample - Math.fround(116.779) },
    { colour: 0, convert: (sample) => sample - Math.fround(123.68) },
  ],
  // -1..1
  tf: [toSigned(0), toSigned(1), toSigned(2)],
  // 0..1, then ImageNet's mean and deviation.
  torch: [toDeviation(0, 0.485, 0.229), toDeviation(1, 0.456, 0.224), toDeviation(2, 0.406, 0.225)],
  none: [toItself(0), toItself(1), toItself(2)],
};

function toSigned(colour: Channel["colour"]): Channel {
  return { colour, convert: (sample) => Math.fround(sample / 127.5) - 1 };
}

function toDeviation(colour: Channel["colour"], mean: number, deviation: number): Channel {
  return {
    colour,
    convert: (sample) => Math.fround(Math.fround(sample / 255) - Math.fround(mean)) / Math.fround(deviation),
  };
}

function toItself(colour: Channel["colour"]): Channel {
  return { colour, convert: (sample) => sample };
}

/**
 * Turns pixels into the model's input.
 * @param pixels (H, W, 3) uint8 RGB
 * @returns (1, H, W, 3) float32: `caffe` BGR about -124..152, `tf` -1..1, `torch` about -2.2..2.7, `none` 0..255
 */
export function toTensor(pixels: Pixels, mode: ChannelMode): Float32Array {
  const { data } = pixels;
  const tensor = new Float32Array(data.length);
  // A sample has 256 values, so each is converted once.
  for (const [channel, { colour, convert }] of channelModes[mode].entries()) {
    const table = Float32Array.from({ length: 256 }, (_, sample) => convert(sample));
    for (let i = 0; i < data.length; i += 3) tensor[i + channel] = table[data[i + colour]!]!;
  }
  return tensor;
}
