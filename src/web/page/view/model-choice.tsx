import type { VariantName } from "../../../embed/model-manifest.ts";
import { formOfVariant } from "../state/model-forms.ts";
import type { ModelSummary } from "../state/page-state.ts";
import { describeForm, titleOfForm } from "../words/describe-form.ts";

export interface ModelChoiceProps {
  readonly model: ModelSummary | undefined;
  /** Forms that the page's host has. */
  readonly offered: readonly VariantName[];
  readonly variant: VariantName;
  readonly onChoose: (variant: VariantName) => void;
}

/** Which form of the model the ways in the browser download and compute with; nothing where fp32 is all that there is. */
export function ModelChoice({ model, offered, variant, onChoose }: ModelChoiceProps) {
  const titleOf = (name: VariantName) => {
    const form = formOfVariant(model, name);
    return form ? titleOfForm(form) : name;
  };
  const chosen = formOfVariant(model, variant);
  if (offered.length === 0 || offered.join() === "fp32") return null;
  return (
    <div class="model-choice">
      <label for="model-variant">Model in this browser</label>
      <select
        id="model-variant"
        aria-describedby="model-variant-what"
        value={variant}
        onChange={(event) => onChoose(event.currentTarget.value as VariantName)}
      >
        {offered.map((name) => (
          <option key={name} value={name}>
            {titleOf(name)}
          </option>
        ))}
      </select>
      <p id="model-variant-what" class="hint">
        {chosen && describeForm(chosen)}
      </p>
    </div>
  );
}
