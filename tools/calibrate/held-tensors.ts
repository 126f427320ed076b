import type { GraphProto, NodeProto } from "../../src/gen/onnx/onnx_pb.ts";

/** A tensor that int8 holds in eight bits. */
export interface HeldTensor {
  readonly name: string;
  /** `summand`: a convolution's result that is added to another tensor, where values below zero count. */
  readonly kind: "rectified" | "summand";
}

/**
 * Which tensors are worth eight bits: what a `Relu` gives, and the convolutions that an `Add` takes. Left in float32, since
 * that costs little time and improves vectors: all that comes before the second convolution, and what the last pool takes.
 */
export function listHeldTensors({ node: nodes }: GraphProto): readonly HeldTensor[] {
  const takersOf = (name: string) =>
    nodes.filter(({ input }) => input.includes(name)).map(({ opType }) => opType);
  const convolutions = nodes.filter(({ opType }) => opType === "Conv");
  const start = convolutions[1] ? nodes.indexOf(convolutions[1]) : nodes.length;
  const kindOf = ({ opType, output }: NodeProto): HeldTensor["kind"] | undefined => {
    const takers = takersOf(output[0]!);
    if (opType === "Relu") return takers.includes("GlobalAveragePool") ? undefined : "rectified";
    return opType === "Conv" && takers.includes("Add") ? "summand" : undefined;
  };
  return nodes.slice(start).flatMap((node) => {
    const kind = kindOf(node);
    return kind ? [{ name: node.output[0]!, kind }] : [];
  });
}
