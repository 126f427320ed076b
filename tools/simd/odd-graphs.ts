import { readFileSync } from "node:fs";
import { type Constant, ints } from "../../src/convert/graph.ts";
import { writeOnnx } from "../../src/convert/write-onnx.ts";
import { createSimdEngine } from "../../src/engine/simd/simd-engine.ts";
import { type ShortNode, smallGraph } from "./small-graphs.ts";

/** A graph that the SIMD engine must not load, for a node of it that is called "odd". */
export type OddGraph = [
  what: string,
  nodes: readonly ShortNode[],
  message: string,
  constants?: Readonly<Record<string, Constant>>,
];

export const plainEngine = createSimdEngine(
  new WebAssembly.Module(readFileSync(new URL("../../src/engine/simd/kernels-plain.wasm", import.meta.url))),
);

export const window = { kernel_shape: ints([2, 2]) };
export const pooled: ShortNode = ["GlobalAveragePool", "picture", "pooled"];
export const flat: ShortNode = ["Flatten", "pooled", "flat"];

/** Loads the graph whose last node takes the odd one's result. */
export function loadOdd(
  nodes: readonly ShortNode[],
  constants: Readonly<Record<string, Constant>> = {},
): Promise<unknown> {
  return plainEngine.load(writeOnnx(smallGraph([...nodes, ["Relu", "odd", "last"]], 3, constants)));
}
