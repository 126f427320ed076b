/** Height of a plot in its own units; its width is the number of values. */
export const plotHeight = 100;

export interface Plot {
  /** The `d` of an SVG path: a vertical stroke from the zero line for each value that is not 0. */
  readonly path: string;
  /** Where 0 lies, from the top. */
  readonly zeroY: number;
  readonly smallest: number;
  readonly largest: number;
}

/** Lays a vector out: the largest value touches the top, the smallest, or 0 if that is less, the bottom. */
export function plotPath(vector: Float32Array): Plot {
  const largest = vector.reduce((most, value) => Math.max(most, value), 0);
  const smallest = vector.reduce((least, value) => Math.min(least, value), 0);
  const range = largest - smallest || 1;
  const yOf = (value: number) => ((largest - value) / range) * plotHeight;
  const zeroY = yOf(0);
  let path = "";
  for (const [index, value] of vector.entries()) {
    if (value !== 0) path += `M${index + 0.5} ${round(zeroY)}V${round(yOf(value))}`;
  }
  return { path, zeroY, smallest, largest };
}

const round = (y: number): number => Math.round(y * 10) / 10;
