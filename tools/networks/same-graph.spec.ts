import { expect, test } from "vitest";
import { convert, type LayerJson } from "../keras-layers.ts";
import { isSameGraph } from "./same-graph.ts";

const input = (name: string): LayerJson => ["InputLayer", name, { batch_input_shape: [null, 4, 6, 3] }];
const settings = { units: 2, activation: "linear", use_bias: true };
const kernel = (value: number) => ({ shape: [72, 2], data: new Float32Array(144).fill(value) });
const bias = { shape: [2], data: new Float32Array(2) };

function build(names: readonly [string, string, string], value = 1, layers: readonly LayerJson[] = []) {
  const [source, flat, dense] = names;
  return convert(
    [
      input(source),
      ["Flatten", flat, {}, source],
      ...layers,
      ["Dense", dense, settings, layers[0]?.[1] ?? flat],
    ],
    { [`${dense}/kernel`]: kernel(value), [`${dense}/bias`]: bias },
  ).onnx;
}

const net = build(["in", "flat", "dense"]);

test.each<[string, Uint8Array, boolean]>([
  ["itself", net, true],
  ["the same with other names", build(["input_1", "flatten_3", "dense_7"]), true],
  ["another weight", build(["in", "flat", "dense"], 2), false],
  ["a layer more", build(["in", "flat", "dense"], 1, [["ReLU", "relu", {}, "flat"]]), false],
])("%s: %s", (_, other, isSame) => {
  expect(isSameGraph(net, other)).toBe(isSame);
});
