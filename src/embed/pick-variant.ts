import { EmbedError } from "../errors.ts";
import {
  type ModelDescription,
  type ModelManifest,
  type VariantName,
  variantNames,
} from "./model-manifest.ts";

/**
 * The manifest of one form of a model: its own file, precision, fingerprint and accuracy, everything else as it is.
 * @param manifest of the model itself
 * @throws EmbedError `CONFIG_INVALID`, naming those that there are
 */
export function pickVariant(manifest: ModelManifest, variant: VariantName): ModelManifest;
export function pickVariant(manifest: ModelDescription, variant: VariantName): ModelDescription;
export function pickVariant(manifest: ModelDescription, variant: VariantName): ModelDescription {
  if (variant === "fp32") return manifest;
  const { variants = {}, ...model } = manifest;
  const picked = Object.hasOwn(variants, variant) ? variants[variant] : undefined;
  if (picked) return { ...model, ...picked, precision: variant };
  const known = variantNames.filter((name) => name === "fp32" || Object.hasOwn(variants, name)).join(", ");
  throw new EmbedError(
    "CONFIG_INVALID",
    `model ${manifest.name}: expected one of its variants ${known}, got "${variant}"`,
  );
}

/** A model's name for messages: `resnet50`, or that of a variant, `resnet50 int8`. */
export function labelOf({ name, precision }: Pick<ModelManifest, "name" | "precision">): string {
  return precision === "fp32" ? name : `${name} ${precision}`;
}
