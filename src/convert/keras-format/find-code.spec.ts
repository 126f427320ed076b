import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { input, type LayerJson, topologyJson } from "../../../tools/keras-layers.ts";
import { findCode } from "./find-code.ts";
import { readTopology } from "./read-topology.ts";

const find = (...layers: LayerJson[]) => {
  const json = topologyJson([input, ...layers]);
  return findCode(json, readTopology(json));
};
const relu = (config: object): LayerJson => ["Activation", "a", { activation: "relu", ...config }, "in"];

test.each<[string, LayerJson, string | undefined]>([
  ["nothing", relu({}), undefined],
  ["a Lambda, though nothing needs it", ["Lambda", "code", {}, "in"], 'layer "code" (Lambda)'],
  ["a class of somebody", ["Mine", "own", {}, "in"], 'layer "own" (Mine)'],
  ["a layer around another", ["TimeDistributed", "t", { layer: {} }, "in"], 'layer "t" (TimeDistributed)'],
  [
    "an operation that is no sum and no product",
    ["TFOpLambda", "write", { function: "io.write_file" }, "in"],
    'layer "write" (TFOpLambda)',
  ],
  ["a sum", ["TFOpLambda", "sum", { function: "math.add" }, "in"], undefined],
  [
    "a lambda of Keras 3 among the settings",
    relu({ x: [{ class_name: "__lambda__" }] }),
    'an object of class "__lambda__"',
  ],
  [
    "a function by its name",
    relu({ x: { class_name: "function", config: "system" } }),
    'an object of class "function"',
  ],
  ["a module of Python", relu({ x: { module: "os", class_name: "X" } }), 'the module "os"'],
  ["one that sounds like Keras", relu({ x: { module: "keras_evil" } }), 'the module "keras_evil"'],
  ["one of Keras", relu({ x: { module: "keras.src.models.functional" } }), undefined],
])("%s", (_, layer, found) => {
  expect(find(layer)).toBe(found);
});

const saved = new URL("../../../fixtures/golden/saved/", import.meta.url);

test.each(readdirSync(saved).filter((name) => name.endsWith(".topology.json")))(
  "there is none in what Keras writes: %s",
  (name) => {
    const json: unknown = JSON.parse(readFileSync(new URL(name, saved), "utf8"));
    expect(findCode(json, readTopology(json))).toBeUndefined();
  },
);
