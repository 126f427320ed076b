import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { findModelDescription } from "../node/model/model-catalog.ts";
import { toProcessorSource } from "./processor-options.ts";

const given =
  (...options: string[]) =>
  (option: string) =>
    options.includes(option);

test.each([
  ["resnet50", 224],
  ["xception", 299],
])("preview is for the input of a model, whether it was prepared or not: %s", async (model, size) => {
  const { preprocess } = await findModelDescription(model);
  const source = await toProcessorSource("preview", model, given("model"));
  expect(source).toEqual({ kind: "preview", input: preprocess });
  expect(source).toMatchObject({ input: { width: size, height: size } });
});

test.each(["./p.ts", "p.mjs", "sub/p", "/p.js"])("%s is a module", async (path) => {
  expect(await toProcessorSource(path, "resnet50", given("workers"))).toEqual({
    kind: "module",
    url: pathToFileURL(path).href,
    shown: path,
  });
});

test.each([
  ["grey", [], 'expected --processor preview, or the path of a module such as ./my-processor.ts, got "grey"'],
  ["", [], 'expected --processor preview, or the path of a module such as ./my-processor.ts, got ""'],
  [
    "preview",
    ["engine", "variant", "workers", "lazyModels"],
    "expected no --variant, --lazy-models, --engine with --processor preview: it makes no vectors",
  ],
  ["./p.ts", ["model"], "expected no --model with --processor ./p.ts: it makes no vectors"],
])("%j with %j is refused", async (name, options, message) => {
  await expect(toProcessorSource(name, "resnet50", given(...options))).rejects.toThrow(
    expect.objectContaining({ reason: "CONFIG_INVALID", message }),
  );
});
