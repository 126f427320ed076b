import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { findModelManifest, findModelVariant } from "../model/model-catalog.ts";
import { modelPath, otherForms, pageModel, pageModelNames } from "./page-model.ts";

const manifest = await findModelManifest("resnet50");

test.each([
  { variant: "fp32", others: ["fp16", "int8"] },
  { variant: "fp16", others: ["fp32", "int8"] },
  { variant: "int8", others: ["fp32", "fp16"] },
] as const)(
  "beside $variant there are $others, each with its own file and hash",
  async ({ variant, others }) => {
    const expected = await Promise.all(
      others.map(async (other) => pageModel(await findModelVariant("resnet50", other), "/cache")),
    );
    expect(otherForms(manifest, variant, "/cache")).toEqual(expected);
    expect(new Set(expected.map(({ path, sha256 }) => `${path} ${sha256}`)).size).toBe(2);
  },
);

test("the engines of the page know the models that are built into it", async () => {
  const assets = await readFile(new URL("../../web/package-assets.ts", import.meta.url), "utf8");
  const built = [...assets.matchAll(/new URL\("\.\/(\w+)\.json", import\.meta\.url\)/g)].map(
    ([, name]) => name,
  );
  expect(built).toEqual(pageModelNames);
});

test("a model without variants has no other forms", () => {
  const { variants: _, ...alone } = manifest;
  expect(otherForms(alone, "fp32", "/cache")).toEqual([]);
});

test.each([
  ["fp32", "models/resnet50.onnx"],
  ["fp16", "models/resnet50-fp16.onnx"],
  ["int8", "models/resnet50-int8.onnx"],
] as const)("%s lies at %s", (variant, path) => {
  expect(modelPath({ name: "resnet50", variant })).toBe(path);
});
