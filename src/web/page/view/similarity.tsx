import { useMemo, useState } from "preact/hooks";
import type { PageController } from "../create-controller.ts";
import { comparisonOf, waysWithVectors } from "../state/comparison.ts";
import { formOfSpace } from "../state/model-forms.ts";
import type { PageState } from "../state/page-state.ts";
import { createCosineOf, nearestPairs } from "../state/similarity.ts";
import { type WayName, wayTitles } from "../state/way-names.ts";
import { formatCosine } from "../words/format-numbers.ts";
import { SimilarityTable } from "./similarity-table.tsx";

/** Pairs that are listed; the table has them all. */
const pairsShown = 10;

/** Pictures in the table: with more of them it would have tens of thousands of cells, which nobody reads. */
const tablePicturesMax = 40;

export interface SimilarityProps {
  readonly state: PageState;
  readonly controller: PageController;
}

/** How alike the pictures are: each with each, and the nearest pairs. */
export function Similarity({ state, controller }: SimilarityProps) {
  const [cosineOf] = useState(createCosineOf);
  const comparison = useMemo(() => comparisonOf(state), [state.pictures, state.comparedWay]);
  const compared = comparison?.vectors ?? [];
  // Pictures change often, their vectors seldom.
  const pairs = useMemo(
    () => nearestPairs(compared, pairsShown, cosineOf),
    [compared.length, ...compared, cosineOf],
  );
  if (!comparison || comparison.pictures.length < 2) return null;
  const { way, pictures, vectors, vectorSpace, leftOut } = comparison;
  const form = formOfSpace(state.model, vectorSpace);
  const nameOf = (index: number) => pictures[index]?.name ?? "";
  const left = pictures.length - tablePicturesMax;
  return (
    <section aria-labelledby="similarity-title">
      <div class="section-head">
        <h2 id="similarity-title">Similarity</h2>
        <label for="compared-way">Vectors of</label>
        <select
          id="compared-way"
          value={way}
          onChange={(event) => controller.compareBy(event.currentTarget.value as WayName)}
        >
          {waysWithVectors(state.pictures).map((name) => (
            <option key={name} value={name}>
              {wayTitles[name]}
            </option>
          ))}
        </select>
      </div>
      {form?.accuracy && <p class="hint">These are vectors of {form.variant}, a vector space of its own.</p>}
      {leftOut > 0 && (
        <p class="hint">Left out are pictures whose vectors are of another vector space: {leftOut}.</p>
      )}
      <div class="similarity">
        <div>
          <h3>Nearest pairs</h3>
          <ol class="pairs">
            {pairs.map(({ first, second, cosine }) => (
              <li key={`${first} ${second}`}>
                <span class="pair-value">{formatCosine(cosine)}</span>
                <span>
                  {nameOf(first)} and {nameOf(second)}
                </span>
              </li>
            ))}
          </ol>
        </div>
        <div class="matrix">
          <h3 id="matrix-title">Each with each, cosine</h3>
          {left > 0 && (
            <p class="hint">
              The table has the first {tablePicturesMax} pictures of {pictures.length}; the nearest pairs are
              of all.
            </p>
          )}
          <SimilarityTable
            names={pictures.slice(0, tablePicturesMax).map(({ name }) => name)}
            vectors={vectors.slice(0, tablePicturesMax)}
            cosineOf={cosineOf}
          />
        </div>
      </div>
    </section>
  );
}
