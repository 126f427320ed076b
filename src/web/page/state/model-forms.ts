import { type VariantName, variantNames } from "../../../embed/model-manifest.ts";
import { pickVariant } from "../../../embed/pick-variant.ts";
import type { ModelFacts } from "../../package-assets.ts";
import type { ModelForm, ModelSummary } from "./page-state.ts";

/** What the page shows of a model, with all forms that its manifest knows: a server may run another than the browser. */
export function summariseModel({ manifest, selfCheck }: ModelFacts): ModelSummary {
  const known = variantNames.filter((name) => name === "fp32" || manifest.variants?.[name] !== undefined);
  return {
    name: manifest.name,
    dimension: manifest.identity.dimension,
    tolerance: selfCheck.tolerance,
    forms: known.map((variant) => {
      const { fingerprint, onnx, accuracy } = pickVariant(manifest, variant);
      return { variant, vectorSpace: fingerprint, bytes: onnx.bytes, ...(accuracy && { accuracy }) };
    }),
  };
}

export const formOfVariant = (model: ModelSummary | undefined, variant: VariantName): ModelForm | undefined =>
  model?.forms.find((form) => form.variant === variant);

/** Undefined for vectors of another model. */
export const formOfSpace = (model: ModelSummary | undefined, vectorSpace: string): ModelForm | undefined =>
  model?.forms.find((form) => form.vectorSpace === vectorSpace);
