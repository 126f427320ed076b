import type { Graph } from "../graph.ts";
import type { Int8Ranges } from "./int8-ranges.ts";
import { quantise } from "./quantise.ts";
import { storeFloat16 } from "./store-float16.ts";

/** How the converted network holds its numbers. */
export type NumberFormat =
  | { readonly precision: "fp32" }
  /** Kernels stored as float16, computed in float32. */
  | { readonly precision: "fp16" }
  /** Convolutions computed in eight bits. */
  | { readonly precision: "int8"; readonly ranges: Int8Ranges };

/** @throws EmbedError `CONVERT_INVALID` where the network does not go into that format */
export function applyNumberFormat(graph: Graph, format: NumberFormat): Graph {
  if (format.precision === "fp16") return storeFloat16(graph);
  return format.precision === "int8" ? quantise(graph, format.ranges) : graph;
}
