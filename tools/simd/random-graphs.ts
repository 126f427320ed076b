import {
  type Attributes,
  type Constant,
  float,
  type Graph,
  type GraphNode,
  int,
  ints,
} from "../../src/convert/graph.ts";
import { createRandom, type Random } from "../random.ts";

/** A small network of one kind of node with random sizes, weights and settings, and a picture for it. */
export interface RandomCase {
  readonly graph: Graph;
  /** (height, width, channels) float32 in [-1, 1). */
  readonly tensor: Float32Array;
  /** What was drawn, for messages. */
  readonly drawn: string;
}

type Shape = readonly [height: number, width: number, channels: number];

/** Adds nodes to a graph; pictures are (N, channels, height, width), as the converter lays them. */
interface Draft {
  readonly random: Random;
  readonly nodes: GraphNode[];
  readonly constants: Map<string, Constant>;
  node(op: string, inputs: readonly string[], attributes?: Attributes): string;
  floats(shape: readonly number[], scale?: number): string;
}

/** Adds nodes behind `input`; gives the last one's name and its shape. */
type Draw = (draft: Draft, input: string, shape: Shape) => readonly [name: string, shape: Shape];

const size = (input: number, kernel: number, stride: number, pads: number, dilation = 1) =>
  Math.floor((input + pads - dilation * (kernel - 1) - 1) / stride) + 1;

/** A kernel of 1 to `most` a side that fits the picture with its padding, and how it moves. */
function drawWindow({ random }: Draft, [height, width]: Shape, most: number, mostDilation: number) {
  const kernel = [1 + random.below(Math.min(most, height)), 1 + random.below(Math.min(most, width))] as const;
  const fits = (side: number, of: number) => (side - 1) * 2 + 1 <= of;
  const dilation =
    mostDilation > 1 && fits(kernel[0], height) && fits(kernel[1], width) ? 1 + random.below(2) : 1;
  const strides = [1 + random.below(3), 1 + random.below(3)] as const;
  const pads = [0, 1, 0, 1].map((axis) => random.below(kernel[axis]!));
  const out = [
    size(height, kernel[0], strides[0], pads[0]! + pads[2]!, dilation),
    size(width, kernel[1], strides[1], pads[1]! + pads[3]!, dilation),
  ] as const;
  return { kernel, dilation, strides, pads, out };
}

const convolve =
  (groupOf: (channels: number, random: Random) => number): Draw =>
  (draft, input, shape) => {
    const { random } = draft;
    const channels = shape[2];
    const group = groupOf(channels, random);
    const filters =
      group === channels && group > 1 ? channels : group * (1 + random.below(Math.ceil(24 / group)));
    const { kernel, dilation, strides, pads, out } = drawWindow(draft, shape, 7, 2);
    const tensors = [input, draft.floats([filters, channels / group, ...kernel])];
    if (random.chance(70)) tensors.push(draft.floats([filters]));
    const name = draft.node("Conv", tensors, {
      dilations: ints([dilation, dilation]),
      group: int(group),
      kernel_shape: ints(kernel),
      pads: ints(pads),
      strides: ints(strides),
    });
    return [name, [...out, filters]];
  };

/** A convolution that Winograd's filtering can take, with what may follow it in the same step. */
const convolve3: Draw = (draft, input, [height, width, channels]) => {
  const { random } = draft;
  const filters = random.chance(50) ? channels : 1 + random.below(48);
  const tensors = [input, draft.floats([filters, channels, 3, 3]), draft.floats([filters])];
  const attributes = { kernel_shape: ints([3, 3]), pads: ints([1, 1, 1, 1]), strides: ints([1, 1]) };
  let name = draft.node("Conv", tensors, attributes);
  if (filters === channels && random.chance(70))
    name = draft.node("Add", random.chance(50) ? [name, input] : [input, name]);
  if (random.chance(50)) name = draft.node("Relu", [name]);
  return [name, [height, width, filters]];
};

const pool =
  (op: string): Draw =>
  (draft, input, shape) => {
    const { kernel, strides, pads, out } = drawWindow(draft, shape, 4, 1);
    const counts: Attributes = op === "AveragePool" ? { count_include_pad: int(draft.random.below(2)) } : {};
    const attributes = { kernel_shape: ints(kernel), pads: ints(pads), strides: ints(strides), ...counts };
    return [draft.node(op, [input], attributes), [...out, shape[2]]];
  };

const unary =
  (op: string, attributes: Attributes = {}): Draw =>
  (draft, input, shape) => [draft.node(op, [input], attributes), shape];

const draws: Readonly<Record<string, Draw>> = {
  Conv: convolve(() => 1),
  "Conv, grouped": convolve((channels, random) => (channels % 2 === 0 && random.chance(60) ? 2 : channels)),
  "Conv, 3x3": convolve3,
  MaxPool: pool("MaxPool"),
  AveragePool: pool("AveragePool"),
  GlobalAveragePool: (draft, input, shape) => [draft.node("GlobalAveragePool", [input]), [1, 1, shape[2]]],
  GlobalMaxPool: (draft, input, shape) => [draft.node("GlobalMaxPool", [input]), [1, 1, shape[2]]],
  BatchNormalization: (draft, input, shape) => {
    const vectors = [0, 1, 2].map(() => draft.floats([shape[2]]));
    const variance = draft.floats([shape[2]]);
    const constant = draft.constants.get(variance);
    if (constant?.kind === "float32") {
      const data = constant.data.map((value) => Math.abs(value) + 0.1);
      draft.constants.set(variance, { ...constant, data });
    }
    return [draft.node("BatchNormalization", [input, ...vectors, variance], { epsilon: float(1e-3) }), shape];
  },
  Relu: unary("Relu"),
  Clip: (draft, input, shape) => {
    const limits = [-0.5, 0.25].map((value) => {
      const name = `limit${value}`;
      draft.constants.set(name, { kind: "float32", shape: [], data: Float32Array.of(value) });
      return name;
    });
    return [draft.node("Clip", [input, ...limits]), shape];
  },
  LeakyRelu: unary("LeakyRelu", { alpha: float(0.3) }),
  Sigmoid: unary("Sigmoid"),
  Tanh: unary("Tanh"),
  Elu: unary("Elu", { alpha: float(1) }),
  Selu: unary("Selu"),
  Softplus: unary("Softplus"),
  Softsign: unary("Softsign"),
  Softmax: unary("Softmax", { axis: int(1) }),
  Add: (draft, input, shape) => [draft.node("Add", [draft.node("Tanh", [input]), input]), shape],
  Mul: (draft, input, shape) => [draft.node("Mul", [input, draft.node("Sigmoid", [input])]), shape],
  "Mul by a vector": (draft, input, shape) => [
    draft.node("Mul", [input, draft.node("GlobalAveragePool", [input])]),
    shape,
  ],
  Concat: (draft, input, shape) => {
    const parts = [input, draft.node("Tanh", [input]), draft.node("Relu", [input])].slice(
      0,
      2 + draft.random.below(2),
    );
    return [draft.node("Concat", parts, { axis: int(1) }), [shape[0], shape[1], shape[2] * parts.length]];
  },
  Pad: (draft, input, [height, width, channels]) => {
    const [top, left, bottom, right] = [0, 1, 2, 3].map(() => draft.random.below(4)) as [
      number,
      number,
      number,
      number,
    ];
    draft.constants.set("pads", { kind: "int64", shape: [8], data: [0, 0, top, left, 0, 0, bottom, right] });
    return [draft.node("Pad", [input, "pads"]), [height + top + bottom, width + left + right, channels]];
  },
  Gemm: (draft, input, [height, width, channels]) => {
    const units = 1 + draft.random.below(40);
    const flat = draft.node("Flatten", [draft.node("Transpose", [input], { perm: ints([0, 2, 3, 1]) })]);
    const tensors = [flat, draft.floats([height * width * channels, units]), draft.floats([units])];
    return [draft.node("Gemm", tensors), [0, 0, units]];
  },
  Gelu: unary("Gelu"),
  LayerNormalization: (draft, input, shape) => {
    const channelsLast = draft.node("Transpose", [input], { perm: ints([0, 2, 3, 1]) });
    const tensors = [channelsLast, draft.floats([shape[2]])];
    if (draft.random.chance(70)) tensors.push(draft.floats([shape[2]]));
    const attributes = { axis: int(draft.random.chance(50) ? -1 : 3), epsilon: float(1e-3) };
    const name = draft.node("LayerNormalization", tensors, attributes);
    return [draft.node("Transpose", [name], { perm: ints([0, 3, 1, 2]) }), shape];
  },
  Slice: (draft, input, [height, width, channels]) => {
    const cut = (size: number) => {
      const start = draft.random.below(size);
      return [start, start + 1 + draft.random.below(size - start)] as const;
    };
    const [rows, columns] = [cut(height), cut(width)];
    const tensors = [
      [rows[0], columns[0]],
      [rows[1], columns[1]],
      [2, 3],
    ].map((data, index) => {
      draft.constants.set(`slice${index}`, { kind: "int64", shape: [2], data });
      return `slice${index}`;
    });
    return [draft.node("Slice", [input, ...tensors]), [rows[1] - rows[0], columns[1] - columns[0], channels]];
  },
};

export const drawNames = Object.keys(draws);

/** Case number `index` of a kind of node: the same each time. */
export function drawCase(name: string, index: number): RandomCase {
  const random = createRandom(drawNames.indexOf(name) + 1, index);
  const most = name === "Gemm" ? 6 : 19;
  const shape: Shape = [
    1 + random.below(most),
    1 + random.below(most),
    1 + random.below(name === "Conv, 3x3" ? 48 : 24),
  ];
  const nodes: GraphNode[] = [];
  const constants = new Map<string, Constant>();
  const value = () => random.below(2 ** 24) / 2 ** 23 - 1;
  const draft: Draft = {
    random,
    nodes,
    constants,
    node(op, inputs, attributes = {}) {
      const output = `${op}${nodes.length}`;
      nodes.push({ op, inputs, output, attributes });
      return output;
    },
    floats(sizes) {
      const output = `floats${constants.size}`;
      const count = sizes.reduce((a, b) => a * b, 1);
      constants.set(output, {
        kind: "float32",
        shape: sizes,
        data: Float32Array.from({ length: count }, value),
      });
      return output;
    },
  };
  const picture = draft.node("Transpose", ["input"], { perm: ints([0, 3, 1, 2]) });
  const [last, [height, width, channels]] = draws[name]!(draft, picture, shape);
  const isVector = height === 0;
  const output = isVector
    ? last
    : draft.node("Flatten", [draft.node("Transpose", [last], { perm: ints([0, 2, 3, 1]) })]);
  const graph: Graph = {
    input: { name: "input", shape },
    output: { name: output, dimension: isVector ? channels : height * width * channels },
    nodes,
    constants,
  };
  const tensor = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, value);
  const settings = nodes.map(({ op, attributes }) => `${op} ${JSON.stringify(attributes)}`).join("; ");
  return { graph, tensor, drawn: `${name} ${index}: (${shape.join(", ")}) ${settings}` };
}
