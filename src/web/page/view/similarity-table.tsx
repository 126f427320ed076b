import { useMemo } from "preact/hooks";
import { type CosineOf, similarityMatrix } from "../state/similarity.ts";
import { formatCosine } from "../words/format-numbers.ts";

export interface SimilarityTableProps {
  /** Of the pictures. */
  readonly names: readonly string[];
  readonly vectors: readonly Float32Array[];
  readonly cosineOf: CosineOf;
}

/** Shades of a cell; a cosine of 1 has the last one, 0 and less the first. */
const shades = 10;

const shadeOf = (cosine: number): number => Math.min(shades - 1, Math.max(0, Math.floor(cosine * shades)));

/** A table that scrolls in itself when it is large, by keyboard too. Columns have numbers, whose names are in the rows. */
export function SimilarityTable({ names, vectors, cosineOf }: SimilarityTableProps) {
  const rows = useMemo(() => similarityMatrix(vectors, cosineOf), [vectors.length, ...vectors, cosineOf]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scroll" aria-labelledby="matrix-title" tabIndex={0}>
      <table class="shaded" aria-labelledby="matrix-title">
        <thead>
          <tr>
            <th scope="col">Picture</th>
            {names.map((name, index) => (
              <th key={index} scope="col" abbr={name} title={name}>
                {index + 1}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              <th scope="row">
                <span class="place">{index + 1}</span> {names[index]}
              </th>
              {row.map((cosine, column) => (
                <td key={column} data-shade={shadeOf(cosine)}>
                  {formatCosine(cosine)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
