import { useMemo } from "preact/hooks";
import { compareWays, type WayDifference } from "../state/compare-ways.ts";
import type { ModelSummary, Picture } from "../state/page-state.ts";
import { wayTitles } from "../state/way-names.ts";
import { describeOtherForm } from "../words/describe-other-form.ts";
import {
  formatDifference,
  formatNearCosine,
  formatShortCosine,
  formatTolerance,
} from "../words/format-numbers.ts";

export interface DifferenceLineProps {
  readonly picture: Picture;
  readonly model: ModelSummary;
}

/** How far the ways lie apart on this picture, and whether that is as near as is promised. */
export function DifferenceLine({ picture, model }: DifferenceLineProps) {
  const differences = useMemo(() => compareWays(picture, model), [picture, model]);
  const [largest] = differences;
  if (!largest) return null;
  return (
    <div class="differences">
      <p>
        <strong>{"maxAbsError" in largest ? "Largest difference" : "Between the ways"}</strong>{" "}
        <Verdict difference={largest} />
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
  switch (difference.kind) {
    case "measured": {
      const { maxAbsError, cosine, tolerance, isWithin } = difference;
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
    case "rounded": {
      const { maxAbsError, cosine, variant } = difference;
      return (
        <>
          <span data-largest-difference={maxAbsError}>{formatDifference(maxAbsError)}</span>, cosine{" "}
          {formatShortCosine(cosine)}; engines round {variant} apart, so no tolerance is promised
        </>
      );
    }
    case "other-form":
      return <span>{describeOtherForm(difference)}</span>;
    case "other-model":
      return <span class="wrong">not comparable: their vector spaces differ</span>;
  }
}
