import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from "../../src/gen/onnx/onnx_pb.ts";

/**
 * Whether two converted networks are one but for the names of tensors: the same operators in the same order on the same
 * tensors, and the same weights, bit for bit. Two Kerases that build one network name some layers differently.
 */
export function isSameGraph(first: Uint8Array, second: Uint8Array): boolean {
  const [a, b] = [first, second].map((onnx) => fromBinary(ModelProtoSchema, onnx).graph!) as [
    GraphProto,
    GraphProto,
  ];
  if (a.node.length !== b.node.length || a.initializer.length !== b.initializer.length) return false;
  const nodesOf = ({ node }: GraphProto) => {
    const numberOf = numberTensors();
    return node.map((one) => renameNode(one, numberOf));
  };
  const [nodes, others] = [nodesOf(a), nodesOf(b)];
  if (nodes.some((node, i) => Buffer.compare(node, others[i]!) !== 0)) return false;
  const [weights, theirs] = [constantsInOrder(a), constantsInOrder(b)];
  return weights.every((weight, i) => {
    const other = theirs[i]!;
    return (
      weight.dims.join() === other.dims.join() &&
      weight.dataType === other.dataType &&
      Buffer.compare(weight.rawData, other.rawData) === 0
    );
  });
}

/** Numbers tensors in the order in which they are first seen. */
function numberTensors(): (name: string) => string {
  const numbers = new Map<string, string>();
  return (name) => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const number = String(numbers.size);
    numbers.set(name, number);
    return number;
  };
}

function renameNode(node: NodeProto, numberOf: (name: string) => string): Uint8Array {
  const [input, output] = [node.input.map(numberOf), node.output.map(numberOf)];
  return toBinary(NodeProtoSchema, { ...node, name: "", input, output });
}

/** The weights in the order in which nodes first read them. */
function constantsInOrder({ node, initializer }: GraphProto) {
  const constants = new Map(initializer.map((constant) => [constant.name, constant]));
  return [...new Set(node.flatMap(({ input }) => input))].flatMap((name) => constants.get(name) ?? []);
}
