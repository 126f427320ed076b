import { describe, expect, test } from "vitest";
import { failureOf } from "../../../tools/keras-layers.ts";
import { convertKeras } from "../convert-keras.ts";
import { readTopology } from "./read-topology.ts";

type Json = Record<string, unknown>;

const layer = (name: string, ...calls: string[][]): Json => ({
  class_name: name.startsWith("in") ? "InputLayer" : "ReLU",
  name,
  config: { batch_shape: [null, 4, 4, 3] },
  inbound_nodes: calls.map((call) => call.map((source) => [source, 0, 0, {}])),
});
const functional = (name: string, layers: Json[], inputs: string[], outputs: string[]): Json => ({
  class_name: "Functional",
  name,
  config: {
    name,
    layers,
    input_layers: inputs.map((input) => [input, 0, 0]),
    output_layers: outputs.map((output) => [output, 0, 0]),
  },
});
/** A model as a layer of another. */
const inner = (model: Json, ...calls: string[][]): Json => ({
  ...model,
  inbound_nodes: calls.map((call) => call.map((source) => [source, 0, 0, {}])),
});
const base = functional("base", [layer("in_base"), layer("a", ["in_base"])], ["in_base"], ["a"]);
const outer = (...models: Json[]) =>
  functional("net", [layer("in"), ...models, layer("end", [models[0]!.name as string])], ["in"], ["end"]);

/** Each layer as `name <- sources`, by call. */
const linesOf = (json: unknown) =>
  readTopology(json).layers.map(({ name, calls }) =>
    [name, ...calls.map((call) => call.map((source) => `${source.layer}:${source.call}`).join(" "))].join(
      " <- ",
    ),
  );

describe("models inside a model are taken apart", () => {
  test("functional in functional", () => {
    expect(linesOf(outer(inner(base, ["in"])))).toEqual(["in", "base/a <- in:0", "end <- base/a:0"]);
  });

  test("a model behind one that takes from it in the list", () => {
    const late = functional(
      "net",
      [layer("end", ["base"]), inner(base, ["in"]), layer("in")],
      ["in"],
      ["end"],
    );
    expect(linesOf(late)).toEqual(["end <- base/a:0", "base/a <- in:0", "in"]);
  });

  test("two deep, and sequential", () => {
    const head = {
      class_name: "Sequential",
      name: "head",
      config: { name: "head", layers: [layer("in_head"), layer("b"), inner(base)] },
    };
    expect(linesOf(outer(inner(head, ["in"])))).toEqual([
      "in",
      "head/b <- in:0",
      "head/base/a <- head/b:0",
      "end <- head/base/a:0",
    ]);
  });

  test("a model as the whole model's first layer keeps its own input", () => {
    const sequential = { class_name: "Sequential", config: { layers: [base, layer("b")] } };
    expect(linesOf(sequential)).toEqual(["base/in_base", "base/a <- base/in_base:0", "b <- base/a:0"]);
    expect(readTopology(sequential).outputs).toEqual([{ layer: "b", call: 0 }]);
  });

  test("a model that gives what it takes", () => {
    const same = functional("base", [layer("in_base")], ["in_base"], ["in_base"]);
    expect(linesOf(outer(inner(same, ["in"])))).toEqual(["in", "end <- in:0"]);
  });
});

test("a sequential model as Keras up to 2.2.2 wrote it, its input's shape with the first layer", () => {
  const first = { class_name: "ReLU", config: { name: "a", batch_input_shape: [null, 4] } };
  const json = { class_name: "Sequential", config: [first, { class_name: "ReLU", config: { name: "b" } }] };
  expect(linesOf(json)).toEqual(["a_input", "a <- a_input:0", "b <- a:0"]);
  expect(readTopology(json).layers[0]!.config).toEqual({ batch_input_shape: [null, 4] });
});

describe("calls as Keras 3 writes them", () => {
  const tensor = (name: string, call = 0) => ({
    class_name: "__keras_tensor__",
    config: { keras_history: [name, call, 0] },
  });
  const called = (args: unknown[], kwargs: Json = {}) =>
    functional("net", [layer("in"), { ...layer("a"), inbound_nodes: [{ args, kwargs }] }], ["in"], ["a"]);

  test.each([
    ["one tensor", [tensor("in")], "a <- in:0"],
    ["a list of tensors", [[tensor("in"), tensor("in", 1)]], "a <- in:0 in:1"],
    ["several arguments", [tensor("in"), tensor("in")], "a <- in:0 in:0"],
  ])("%s", (_what, args, line) => {
    expect(linesOf(called(args, { mask: null, training: false }))[1]).toBe(line);
  });

  test.each<[string, Json, string]>([
    [
      "a text among the arguments",
      called([tensor("in"), "x"]),
      'inbound_nodes of layer "a": expected calls of [layer, call, tensor, arguments], got "x"',
    ],
    [
      "a tensor by keyword",
      called([tensor("in")], { y: tensor("in") }),
      'layer "a" takes a tensor as a keyword argument; expected positional ones',
    ],
  ])("%s is refused", (_what, json, message) => {
    expect(failureOf(() => readTopology(json))).toEqual({ reason: "CONVERT_INVALID", message });
  });
});

describe("operations with numbers among their arguments", () => {
  const operation = (className: string, inbound: unknown): Json =>
    functional(
      "net",
      [layer("in"), { class_name: className, name: "a", config: {}, inbound_nodes: [inbound] }],
      ["in"],
      ["a"],
    );
  const x = { class_name: "__keras_tensor__", config: { keras_history: ["in", 0, 0] } };

  test.each([
    ["of Keras 3", operation("Add", { args: [x, 3.5], kwargs: {} }), "ops.Add", { 1: 3.5 }],
    [
      "of Keras 3, the number first",
      operation("Subtract", { args: [1, x], kwargs: {} }),
      "ops.Subtract",
      { 0: 1 },
    ],
    [
      "of TensorFlow",
      operation("TFOpLambda", ["in", 0, 0, { y: 3.5, name: null }]),
      "TFOpLambda",
      { y: 3.5 },
    ],
  ])("%s", (_what, json, className, numbers) => {
    expect(readTopology(json).layers[1]).toEqual({
      name: "a",
      className,
      config: {},
      calls: [[{ layer: "in", call: 0 }]],
      numbers: [numbers],
    });
  });

  test("of TensorFlow, on a second tensor among its arguments", () => {
    const add = operation("TFOpLambda", ["in", 0, 0, { y: ["in", 0, 0], name: null }]);
    const source = { layer: "in", call: 0 };
    expect(readTopology(add).layers[1]).toEqual({
      name: "a",
      className: "TFOpLambda",
      config: {},
      calls: [[source, source]],
    });
  });

  test("are no layers that a converter of layers could take for one", () => {
    const power = operation("Power", { args: [x, 3.5], kwargs: {} });
    const model = { topology: readTopology(power), weights: new Map() };
    expect(
      failureOf(() => convertKeras(model, { outputLayer: "a", inputShape: [4, 4, 3] }))?.message,
    ).toMatch(/^layer "a" \(ops\.Power\): this layer class cannot be converted/);
  });

  test.each([
    [[3.5, x], "divides a number by a tensor; supported: a tensor by a number"],
    [[x, 0], "divides by 0"],
    [[x, 2, 3], "takes 2 numbers; expected 1"],
  ])("that cannot be converted: a quotient of %j", (args, message) => {
    const divide = operation("TrueDivide", { args, kwargs: {} });
    const model = { topology: readTopology(divide), weights: new Map() };
    expect(failureOf(() => convertKeras(model, { outputLayer: "a", inputShape: [4, 4, 3] }))?.message).toBe(
      `layer "a" (ops.TrueDivide): ${message}`,
    );
  });
});

describe("a model that cannot be taken apart is refused", () => {
  const nest = (depth: number): Json =>
    depth === 0 ? base : functional("m", [inner(nest(depth - 1))], [], [depth === 1 ? "base" : "m"]);
  test.each<[string, () => Json, string, string]>([
    [
      "called twice",
      () => outer(inner(base, ["in"], ["in"])),
      "CONVERT_UNSUPPORTED_LAYER",
      'layer "base" (Functional): is a model that is called 2 times; expected once',
    ],
    [
      "two outputs",
      () => outer(inner(functional("base", [layer("in_base")], ["in_base"], ["in_base", "in_base"]), ["in"])),
      "CONVERT_UNSUPPORTED_LAYER",
      'layer "base" (Functional): is a model with 2 outputs; expected one',
    ],
    [
      "called on too much",
      () => outer(inner(base, ["in", "in"])),
      "CONVERT_INVALID",
      'layer "base" (Functional): is called on 2 tensors, its model takes 1',
    ],
    [
      "a circle of models that give what they take",
      () => {
        const same = functional("base", [layer("in_base")], ["in_base"], ["in_base"]);
        return outer(inner(same, ["other"]), inner({ ...same, name: "other" }, ["base"]));
      },
      "CONVERT_INVALID",
      'layer "base" depends on itself',
    ],
    [
      "too deep",
      () => nest(9),
      "CONVERT_INVALID",
      "topology: expected at most 256 models inside models, 8 deep at most",
    ],
    [
      "too many models",
      () =>
        functional(
          "net",
          Array.from({ length: 256 }, () => inner(base)),
          [],
          [],
        ),
      "CONVERT_INVALID",
      "topology: expected at most 256 models inside models, 8 deep at most",
    ],
    [
      "too many layers",
      () => functional("net", new Array<Json>(20_001).fill(layer("a")), [], []),
      "CONVERT_INVALID",
      "topology: expected at most 20000 layers, got 20001 or more",
    ],
  ])("%s", (_what, make, reason, message) => {
    expect(failureOf(() => readTopology(make()))).toEqual({ reason, message });
  });
});

describe("topologies that cannot be read", () => {
  test.each<[string, unknown, string]>([
    ["no object", 7, "topology: expected an object with class_name and config, got 7"],
    [
      "a model of a class of one's own",
      { class_name: "MyModel", config: { layers: [] } },
      'topology: expected a model of class Model, Functional or Sequential, got "MyModel"',
    ],
    ["no layers", { class_name: "Model", config: {} }, "topology: expected a list of layers, got undefined"],
    [
      "a layer without a class",
      { class_name: "Model", config: { layers: [{}] } },
      "topology: expected layer 0 to have class_name and config, got {}",
    ],
    [
      "a layer without a name",
      { class_name: "Model", config: { layers: [{ class_name: "Add", config: {} }] } },
      "topology: expected layer 0 to have a name, got undefined",
    ],
    [
      "a call in another form",
      {
        class_name: "Model",
        config: { layers: [{ class_name: "Add", name: "a", config: {}, inbound_nodes: [{ inputs: [] }] }] },
      },
      'inbound_nodes of layer "a": expected calls of [layer, call, tensor, arguments], got {"inputs":[]}',
    ],
    [
      "a second output of a layer",
      {
        class_name: "Model",
        config: {
          layers: [{ class_name: "Add", name: "a", config: {}, inbound_nodes: [[["b", 0, 1, {}]]] }],
        },
      },
      'layer "a" takes output 1 of "b"; expected layers with one output',
    ],
  ])("%s", (_what, json, message) => {
    expect(failureOf(() => readTopology(json))).toEqual({ reason: "CONVERT_INVALID", message });
  });
});
