/** Weights of filters where they lie: that of a filter, a channel and a tap at the sum of these times their steps. */
export interface FilterWeights {
  readonly values: Float32Array;
  readonly filterStep: number;
  readonly channelStep: number;
  readonly tapStep: number;
}

/** Reads weights from the model; what it gives is good until other weights are read. */
export type ReadWeights = () => FilterWeights;

export interface FilterCounts {
  readonly filters: number;
  readonly channels: number;
  readonly taps: number;
}

/** Writes out weights that lie in no such order. */
export function listWeights(
  { filters, channels, taps }: FilterCounts,
  weightAt: (filter: number, channel: number, tap: number) => number,
): FilterWeights {
  const values = new Float32Array(filters * channels * taps);
  let at = 0;
  for (let filter = 0; filter < filters; filter++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let tap = 0; tap < taps; tap++) values[at++] = weightAt(filter, channel, tap);
    }
  }
  return { values, filterStep: channels * taps, channelStep: taps, tapStep: 1 };
}
