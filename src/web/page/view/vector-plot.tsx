import { useMemo } from "preact/hooks";
import { type WayName, wayTitles } from "../state/way-names.ts";
import { describeVector } from "../words/describe-vector.ts";
import { plotHeight, plotPath } from "../words/plot-path.ts";

export interface VectorPlotProps {
  /** Where the vector comes from. */
  readonly way: WayName;
  readonly vector: Float32Array;
}

/** All values of a vector as strokes, in their order. */
export function VectorPlot({ way, vector }: VectorPlotProps) {
  const { path, zeroY, smallest, largest } = useMemo(() => plotPath(vector), [vector]);
  return (
    <figure class="plot">
      <svg
        viewBox={`0 0 ${vector.length} ${plotHeight}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Plot of the vector: ${describeVector(vector)}`}
      >
        <path class="plot-zero" d={`M0 ${zeroY}H${vector.length}`} />
        <path class="plot-values" d={path} />
      </svg>
      <figcaption>
        {vector.length} values, {smallest.toPrecision(1)} to {largest.toPrecision(2)}, from {wayTitles[way]}
      </figcaption>
    </figure>
  );
}
