import { expect, test } from "vitest";
import { findModelManifest } from "../../../node/model/model-catalog.ts";
import { readVectorGolden } from "../../../node/model/vector-golden.ts";
import { formOfVariant, summariseModel } from "../state/model-forms.ts";
import { describeForm, titleOfForm } from "./describe-form.ts";

const manifest = await findModelManifest("resnet50");
const model = summariseModel({
  manifest,
  selfCheck: await readVectorGolden("photo/locomotion-house-cat.jpg"),
});
const own = " A vector space of its own: its vectors belong in no index with others.";

test.each([
  ["fp32", "fp32, 93.9 MB", "Its vectors are those of Keras."],
  ["fp16", "fp16, 47.0 MB", `Cosine to Keras's vectors at least 0.999999.${own}`],
  [
    "int8",
    "int8, 23.9 MB",
    `Cosine to Keras's vectors at least 0.998 for photographs, 0.98 for every test picture.${own}`,
  ],
] as const)("%s is offered as %s", (variant, title, words) => {
  const form = formOfVariant(model, variant)!;
  expect([titleOfForm(form), describeForm(form)]).toEqual([title, words]);
});
