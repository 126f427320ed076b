import { describe, expect, test } from "vitest";
import { convert, failureOf, input, type LayerJson, topologyJson } from "../../tools/keras-layers.ts";
import { convertKeras } from "./convert-keras.ts";
import { readTopology } from "./keras-format/read-topology.ts";

describe("a model that claims much and has little is refused before memory is taken", () => {
  test("a padding that no memory holds", () => {
    const padding = [
      [2 ** 40, 0],
      [0, 0],
    ];
    expect(failureOf(() => convert([input, ["ZeroPadding2D", "pad", { padding }, "in"]]))).toEqual({
      reason: "CONVERT_INVALID",
      message:
        'layer "pad" (ZeroPadding2D): its output would be (1099511627780, 6, 3); expected at most 134217728 values',
    });
  });

  test("channels that double with each layer", () => {
    const doubled = Array.from(
      { length: 40 },
      (_, i): LayerJson => [
        "Concatenate",
        `c${i + 1}`,
        { axis: -1 },
        i === 0 ? "in" : `c${i}`,
        i === 0 ? "in" : `c${i}`,
      ],
    );
    expect(failureOf(() => convert([input, ...doubled]))).toEqual({
      reason: "CONVERT_INVALID",
      message:
        'layer "c21" (Concatenate): its output would be (4, 6, 6291456); expected at most 134217728 values',
    });
  });

  test("numbers for more channels than any network has", () => {
    const many: LayerJson = ["Reshape", "many", { target_shape: [1, 1, -1] }, "pad"];
    const scale: LayerJson = ["Rescaling", "scale", { scale: 2 }, "many"];
    const pad = (rows: number): LayerJson => {
      const padding = [
        [0, rows - 4],
        [0, 0],
      ];
      return ["ZeroPadding2D", "pad", { padding }, "in"];
    };
    // A row has 18 values.
    expect(convert([input, pad(58_254), many, scale]).dimension).toBe(1_048_572);
    expect(failureOf(() => convert([input, pad(58_255), many, scale]))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'layer "scale" (Rescaling): takes 1048590 channels; expected at most 1048576',
    });
    const norm: LayerJson = ["LayerNormalization", "norm", { scale: false, center: false }, "many"];
    expect(failureOf(() => convert([input, pad(58_255), many, norm]))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'layer "norm" (LayerNormalization): takes 1048590 channels; expected at most 1048576',
    });
  });

  test("numbers for all channels, layer after layer", () => {
    const wide: LayerJson = ["Reshape", "wide", { target_shape: [1, 1, -1] }, "pad"];
    const padding = [
      [0, 50_000],
      [0, 0],
    ];
    const scales = Array.from(
      { length: 20 },
      (_, i): LayerJson => ["Rescaling", `scale${i}`, { scale: i + 2 }, i === 0 ? "wide" : `scale${i - 1}`],
    );
    expect(
      failureOf(() => convert([input, ["ZeroPadding2D", "pad", { padding }, "in"], wide, ...scales])),
    ).toEqual({
      reason: "CONVERT_INVALID",
      message: '"scale4/affine_mean": the network has too many numbers that are no weights',
    });
  });

  test("another number for each call of one operation", () => {
    const json = topologyJson([input, ["TFOpLambda", "op", { function: "math.add" }, "in"]]);
    const calls = Array.from({ length: 300 }, (_, i) => [
      i === 0 ? "in" : "op",
      Math.max(i - 1, 0),
      0,
      { y: i },
    ]);
    const [, operation] = json.config.layers;
    Object.assign(operation!, { inbound_nodes: calls });
    const topology = readTopology({ ...json, config: { ...json.config, output_layers: [["op", 299, 0]] } });
    const options = { outputLayer: "op", inputShape: [4, 6, 3] };
    expect(failureOf(() => convertKeras({ topology, weights: new Map() }, options))).toEqual({
      reason: "CONVERT_INVALID",
      message: '"op/affine_shift": expected calls of one layer to need at most 256 of them',
    });
  });

  test("a layer on more tensors than any network has", () => {
    const sumOf = (count: number) => {
      const sum: LayerJson = ["Add", "sum", {}, ...new Array<string>(count).fill("in")];
      return convert([input, sum, ["GlobalMaxPooling2D", "max", {}, "sum"]]).dimension;
    };
    expect(sumOf(1_000)).toBe(3);
    expect(failureOf(() => sumOf(1_001))).toEqual({
      reason: "CONVERT_INVALID",
      message: 'layer "sum" (Add): expected at most 1000 inputs, got 1001',
    });
  });

  test("more nodes than any network has", () => {
    const sums = Array.from({ length: 51 }, (_, i): LayerJson => {
      const source = i === 0 ? "in" : `sum${i - 1}`;
      return ["Add", `sum${i}`, {}, ...new Array<string>(1_000).fill(source)];
    });
    expect(failureOf(() => convert([input, ...sums]))).toEqual({
      reason: "CONVERT_INVALID",
      message: '"sum50": expected at most 50000 nodes',
    });
  });
});
