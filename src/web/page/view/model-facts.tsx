import type { VariantName } from "../../../embed/model-manifest.ts";
import { engineTolerance } from "../../../engine/engine-tolerances.ts";
import { formOfVariant } from "../state/model-forms.ts";
import type { ModelSummary } from "../state/page-state.ts";
import { describeAccuracy } from "../words/describe-form.ts";
import { formatTolerance } from "../words/format-numbers.ts";

export interface ModelFactsProps {
  readonly model: ModelSummary | undefined;
  /** With which the ways in the browser compute. */
  readonly variant: VariantName;
}

/** What computes, and what its vectors can be compared with. */
export function ModelFacts({ model, variant }: ModelFactsProps) {
  const form = formOfVariant(model, variant);
  return (
    <footer class="bottom">
      {model && form && (
        <dl>
          <dt>{form.accuracy ? "Model in this browser" : "Model"}</dt>
          <dd>
            {model.name}
            {form.accuracy && ` ${variant}`}: {model.dimension} numbers, L2 norm 1,{" "}
            {form.accuracy
              ? `cosine to Keras's ${describeAccuracy(form.accuracy)}`
              : `each within ${formatTolerance(model.tolerance)} of Keras's (on a GPU within ${formatTolerance(engineTolerance("ort-webgpu", model.tolerance))})`}
          </dd>
          <dt>{form.accuracy ? "Its vector space" : "Vector space"}</dt>
          <dd>
            <code>{form.vectorSpace}</code>
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
