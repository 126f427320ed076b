import type { Attributes, Constant, Graph, GraphNode } from "../../src/convert/graph.ts";
import { ints } from "../../src/convert/graph.ts";

/** A node as op, inputs, output and attributes. */
export type ShortNode = readonly [
  op: string,
  inputs: string | readonly string[],
  output: string,
  attributes?: Attributes,
];

/**
 * A graph on a picture "input", (N, 4, 5, 3), that gives "last", (N, dimension). The tensor "picture" is the input with its
 * channels before height and width.
 */
export function smallGraph(
  nodes: readonly ShortNode[],
  dimension: number,
  constants: Readonly<Record<string, Constant>> = {},
): Graph {
  const all: readonly ShortNode[] = [
    ["Transpose", "input", "picture", { perm: ints([0, 3, 1, 2]) }],
    ...nodes,
  ];
  return {
    input: { name: "input", shape: [4, 5, 3] },
    output: { name: "last", dimension },
    nodes: all.map(
      ([op, inputs, output, attributes = {}]): GraphNode => ({
        op,
        inputs: typeof inputs === "string" ? [inputs] : inputs,
        output,
        attributes,
      }),
    ),
    constants: new Map(Object.entries(constants)),
  };
}

/** From a tensor (N, channels, height, width) to "last", as Keras flattens it. */
export const flattened = (tensor: string): readonly ShortNode[] => [
  ["Transpose", tensor, "turned", { perm: ints([0, 2, 3, 1]) }],
  ["Flatten", "turned", "last"],
];

/** A constant with values between -1 and 1, the same each time. */
export function floats(...shape: number[]): Constant {
  const count = shape.reduce((a, b) => a * b, 1);
  return { kind: "float32", shape, data: Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1)) };
}

export const scalar = (value: number): Constant => ({
  kind: "float32",
  shape: [],
  data: Float32Array.of(value),
});

export const integers = (...data: number[]): Constant => ({ kind: "int64", shape: [data.length], data });
