import type { ModelSummary } from "../state/page-state.ts";
import { formatTolerance } from "../words/format-numbers.ts";

export interface ModelFactsProps {
  readonly model: ModelSummary | undefined;
}

/** What computes, and what its vectors can be compared with. */
export function ModelFacts({ model }: ModelFactsProps) {
  return (
    <footer class="bottom">
      {model && (
        <dl>
          <dt>Model</dt>
          <dd>
            {model.name}: {model.dimension} numbers, L2 norm 1, each within {formatTolerance(model.tolerance)}{" "}
            of Keras's (on a GPU within 5e-6)
          </dd>
          <dt>Vector space</dt>
          <dd>
            <code>{model.vectorSpace}</code>
          </dd>
        </dl>
      )}
      <p>
        Pictures leave this device only on the way “Server”. Nothing is loaded from other hosts, and no
        picture is stored.
      </p>
    </footer>
  );
}
