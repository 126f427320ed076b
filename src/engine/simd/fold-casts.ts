import { TensorProto_DataType } from "../../gen/onnx/onnx_pb.ts";
import type { OnnxConstant } from "./read-constant.ts";
import type { OnnxGraph, OnnxNode } from "./read-onnx-graph.ts";

/**
 * Takes every `Cast` of a float16 constant to float32 for a constant of its own, which holds the same numbers. All other
 * casts stay, and are refused by their name.
 */
export function foldCasts(
  nodes: readonly OnnxNode[],
  constants: ReadonlyMap<string, OnnxConstant>,
): Pick<OnnxGraph, "nodes" | "constants"> {
  const folded = new Map(constants);
  const kept = nodes.filter((node) => {
    const stored =
      node.op === "Cast" && node.inputs.length === 1 ? constants.get(node.inputs[0]!) : undefined;
    const isPlain = node.attributes.size === 1 && node.attributes.get("to") === TensorProto_DataType.FLOAT;
    if (!stored?.halves || !isPlain || folded.has(node.output)) return true;
    folded.set(node.output, { shape: stored.shape, floats: stored.halves });
    return false;
  });
  return { nodes: kept, constants: folded };
}
