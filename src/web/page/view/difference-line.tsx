import { useMemo } from "preact/hooks";
import { compareWays, type WayDifference } from "../state/compare-ways.ts";
import type { Picture } from "../state/page-state.ts";
import { wayTitles } from "../state/way-names.ts";
import { formatDifference, formatNearCosine, formatTolerance } from "../words/format-numbers.ts";

export interface DifferenceLineProps {
  readonly picture: Picture;
  /** Of the model. */
  readonly tolerance: number;
}

/** How far the ways lie apart on this picture, and whether that is as near as is promised. */
export function DifferenceLine({ picture, tolerance }: DifferenceLineProps) {
  const differences = useMemo(() => compareWays(picture, tolerance), [picture, tolerance]);
  const [largest] = differences;
  if (!largest) return null;
  return (
    <div class="differences">
      <p>
        <strong>Largest difference</strong> <Verdict difference={largest} />
      </p>
      {differences.length > 1 ? (
        <details>
          <summary>Each way with each other</summary>
          <ul>
            {differences.map((difference) => (
              <li key={`${difference.first} ${difference.second}`}>
                {wayTitles[difference.first]} and {wayTitles[difference.second]}:{" "}
                <Verdict difference={difference} />
              </li>
            ))}
          </ul>
        </details>
      ) : (
        <p class="hint">
          between {wayTitles[largest.first]} and {wayTitles[largest.second]}
        </p>
      )}
    </div>
  );
}

function Verdict({ difference }: { readonly difference: WayDifference }) {
  const { isComparable, maxAbsError, cosine, tolerance, isWithin } = difference;
  if (!isComparable) return <span class="wrong">not comparable: their vector spaces differ</span>;
  return (
    <>
      <span data-largest-difference={maxAbsError}>{formatDifference(maxAbsError)}</span>,{" "}
      <span class={isWithin ? "right" : "wrong"}>
        {isWithin ? "within" : "beyond"} the tolerance of {formatTolerance(tolerance)}
      </span>
      , cosine {formatNearCosine(cosine)}
    </>
  );
}
