import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { VariantName } from "./model-manifest.ts";
import { parseModelManifest } from "./parse-model-manifest.ts";
import { labelOf, pickVariant } from "./pick-variant.ts";

const resnet50 = parseModelManifest(
  JSON.parse(readFileSync(new URL("../../models/resnet50/manifest.json", import.meta.url), "utf8")),
);
const names: readonly VariantName[] = ["fp32", "fp16", "int8"];

describe("the forms of ResNet50", () => {
  const forms = names.map((name) => pickVariant(resnet50, name));

  test("have a precision, a file and a vector space of their own, and all else in common", () => {
    expect(forms.map(({ precision }) => precision)).toEqual(names);
    expect(new Set(forms.map(({ onnx }) => onnx.sha256)).size).toBe(3);
    expect(new Set(forms.map(({ fingerprint }) => fingerprint)).size).toBe(3);
    for (const { identity, preprocess, sources, name } of forms) {
      expect({ identity, preprocess, sources, name }).toEqual({
        identity: resnet50.identity,
        preprocess: resnet50.preprocess,
        sources: resnet50.sources,
        name: "resnet50",
      });
    }
  });

  test("are as small as they say, and only fp32 is held to each golden's tolerance", () => {
    const [fp32, fp16, int8] = forms.map(({ onnx }) => onnx.bytes) as [number, number, number];
    expect(fp16 / fp32).toBeLessThan(0.51);
    expect(int8 / fp32).toBeLessThan(0.26);
    expect(forms.map(({ accuracy }) => accuracy?.photoMinCosine)).toEqual([undefined, 0.999999, 0.998]);
  });

  test("are told apart in messages", () => {
    expect(forms.map(labelOf)).toEqual(["resnet50", "resnet50 fp16", "resnet50 int8"]);
  });
});

test.each<[object, string, string]>([
  [resnet50, "int4", 'model resnet50: expected one of its variants fp32, fp16, int8, got "int4"'],
  [resnet50, "toString", 'model resnet50: expected one of its variants fp32, fp16, int8, got "toString"'],
  [{ ...resnet50, variants: {} }, "int8", 'model resnet50: expected one of its variants fp32, got "int8"'],
])("what a model lacks is refused (%#)", (manifest, name, message) => {
  expect(() => pickVariant(manifest as typeof resnet50, name as VariantName)).toThrow(
    expect.objectContaining({ reason: "CONFIG_INVALID", message }),
  );
});
