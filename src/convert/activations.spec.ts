import * as ort from "onnxruntime-web";
import { beforeAll, expect, test } from "vitest";
import { convertKeras } from "./convert-keras.ts";
import { readTopology } from "./keras-format/read-topology.ts";

// Each activation against its definition in keras.activations, in float64. What goldens cover is there too.

const selu = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const xs = [-90, -8, -2.5, -1, -0.1, 0, 0.1, 1, 2.5, 5.9, 6.1, 8, 80];

beforeAll(() => {
  ort.env.wasm.numThreads = 1;
});

/** @param shape what the input layer calls its shape: Keras 2 and Keras 3 have different names for it */
async function run(className: string, config: object, shape = "batch_input_shape"): Promise<Float32Array> {
  const name = (layer: string) => ({ name: layer, config: { name: layer } });
  const topology = readTopology({
    class_name: "Functional",
    config: {
      layers: [
        {
          class_name: "InputLayer",
          name: "in",
          config: { [shape]: [null, xs.length] },
          inbound_nodes: [],
        },
        {
          ...name("act"),
          class_name: className,
          config: { ...name("act").config, ...config },
          inbound_nodes: [[["in", 0, 0, {}]]],
        },
      ],
    },
  });
  const options = { outputLayer: "act", inputShape: [xs.length] };
  const { onnx } = convertKeras({ topology, weights: new Map() }, options);
  const session = await ort.InferenceSession.create(onnx);
  const input = new ort.Tensor("float32", Float32Array.from(xs), [1, xs.length]);
  const results = await session.run({ input });
  return results[session.outputNames[0]!]!.data as Float32Array;
}

test.each<[string, object, (x: number) => number]>([
  ["Activation", { activation: "relu" }, (x) => Math.max(x, 0)],
  ["Activation", { activation: "relu6" }, (x) => Math.min(Math.max(x, 0), 6)],
  ["Activation", { activation: "sigmoid" }, sigmoid],
  ["Activation", { activation: "tanh" }, Math.tanh],
  ["Activation", { activation: "elu" }, (x) => (x > 0 ? x : Math.expm1(x))],
  ["Activation", { activation: "selu" }, (x) => selu.scale * (x > 0 ? x : selu.alpha * Math.expm1(x))],
  ["Activation", { activation: "softplus" }, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
  ["Activation", { activation: "softsign" }, (x) => x / (1 + Math.abs(x))],
  ["Activation", { activation: "swish" }, (x) => x * sigmoid(x)],
  ["Activation", { activation: "silu" }, (x) => x * sigmoid(x)],
  ["Activation", { activation: "hard_sigmoid" }, (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1)],
  ["Activation", { activation: "hard_swish" }, (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1)],
  ["Activation", { activation: "hard_silu" }, (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1)],
  ["LeakyReLU", { alpha: 0.1 }, (x) => (x < 0 ? 0.1 * x : x)],
  ["LeakyReLU", { negative_slope: 0.1 }, (x) => (x < 0 ? 0.1 * x : x)],
  ["LeakyReLU", {}, (x) => (x < 0 ? 0.3 * x : x)],
  ["ReLU", { max_value: 2, negative_slope: 0.5 }, (x) => (x < 0 ? 0.5 * x : Math.min(x, 2))],
  ["ReLU", { threshold: 1 }, (x) => (x > 1 ? x : 0)],
  [
    "ReLU",
    { threshold: 1, max_value: 6, negative_slope: 0.5 },
    (x) => (x > 1 ? Math.min(x, 6) : 0.5 * (x - 1)),
  ],
  ["ReLU", {}, (x) => Math.max(x, 0)],
  ["ReLU", { max_value: 2, negative_slope: 0, threshold: 0 }, (x) => Math.min(Math.max(x, 0), 2)],
  ["ReLU", { max_value: null, negative_slope: 0.25 }, (x) => (x < 0 ? 0.25 * x : x)],
])("%s %j", async (className, config, define) => {
  const got = await run(className, config);
  xs.forEach((x, i) => {
    const expected = define(Math.fround(x));
    expect(Math.abs(got[i]! - expected), `x = ${x}`).toBeLessThanOrEqual(
      1e-6 * Math.max(1, Math.abs(expected)),
    );
  });
});

test("hard_sigmoid as Keras 3 has it", async () => {
  const got = await run("Activation", { activation: "hard_sigmoid" }, "batch_shape");
  xs.forEach((x, i) => {
    const expected = Math.min(Math.max(Math.fround(x) / 6 + 0.5, 0), 1);
    expect(Math.abs(got[i]! - expected), `x = ${x}`).toBeLessThanOrEqual(1e-6);
  });
});
