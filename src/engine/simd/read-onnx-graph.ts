import { fromBinary } from "@bufbuild/protobuf";
import { EmbedError } from "../../errors.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataType,
  type ValueInfoProto,
} from "../../gen/onnx/onnx_pb.ts";
import { checkOpset } from "./check-opset.ts";
import { foldCasts } from "./fold-casts.ts";
import { createFloatReader, type OnnxConstant, readConstant } from "./read-constant.ts";
import { unsupported } from "./unsupported.ts";

/** An ONNX graph as the planner reads it: one input, one output, weights as typed arrays. */
export interface OnnxGraph {
  /** (N, height, width, channels), N left open. */
  readonly input: { readonly name: string; readonly shape: readonly [number, number, number] };
  /** (N, dimension). */
  readonly output: { readonly name: string; readonly dimension: number };
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxConstant>;
}

export interface OnnxNode {
  readonly op: string;
  /** For messages: the node's own name, or that of its output. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: ReadonlyMap<string, number | readonly number[] | string>;
}

/**
 * @param onnx bytes of a ModelProto, which must stay unchanged while the graph is used
 * @throws EmbedError `MODEL_CORRUPT` if they are none or contradict themselves, `ENGINE_UNSUPPORTED` for a graph of another kind
 */
export function readOnnxGraph(onnx: Uint8Array): OnnxGraph {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, onnx, { readUnknownFields: false });
  } catch (cause) {
    throw new EmbedError("MODEL_CORRUPT", `expected an ONNX model, got ${onnx.length} bytes that are none`, {
      cause,
    });
  }
  const { graph } = model;
  if (!graph) throw new EmbedError("MODEL_CORRUPT", "expected an ONNX model with a graph, got none");
  checkOpset(model.opsetImport);
  const readFloats = createFloatReader();
  const constants = new Map(
    graph.initializer.map((tensor) => [tensor.name, readConstant(tensor, readFloats)]),
  );
  const inputs = graph.input.filter(({ name }) => !constants.has(name));
  const [input, output] = [inputs[0], graph.output[0]];
  if (inputs.length !== 1 || graph.output.length !== 1 || !input || !output) {
    throw unsupported(`expected one input and one output, got ${inputs.length} and ${graph.output.length}`);
  }
  const shape = readShape(input);
  const [dimension, ...rest] = readShape(output);
  if (shape.length !== 3 || dimension === undefined || rest.length > 0) {
    throw unsupported(
      `expected an input (N, height, width, channels) and an output (N, dimension), got (N, ${shape.join(", ")}) and (N, ${[dimension, ...rest].join(", ")})`,
    );
  }
  return {
    input: { name: input.name, shape: shape as [number, number, number] },
    output: { name: output.name, dimension },
    ...foldCasts(graph.node.map(readNode), constants),
  };
}

function readNode(node: NodeProto): OnnxNode {
  const [output, ...more] = node.output;
  const others = more.filter((name) => name !== "");
  const name = node.name || output || node.opType;
  if (node.domain !== "" && node.domain !== "ai.onnx") {
    throw unsupported(`node "${name}": operator ${node.opType} of the domain ${node.domain} is not known`);
  }
  if (!output) throw new EmbedError("MODEL_CORRUPT", `node "${name}": expected an output, got none`);
  if (others.length > 0)
    throw unsupported(`node "${name}": ${node.opType} with ${others.length + 1} outputs is not known`);
  const attributes = new Map(
    node.attribute.map((attribute) => [attribute.name, readAttribute(attribute, name)]),
  );
  return { op: node.opType, name, inputs: node.input, output, attributes };
}

function readAttribute(attribute: AttributeProto, node: string): number | readonly number[] | string {
  switch (attribute.type) {
    case AttributeProto_AttributeType.INT:
      return Number(attribute.i);
    case AttributeProto_AttributeType.FLOAT:
      return attribute.f;
    case AttributeProto_AttributeType.INTS:
      return attribute.ints.map(Number);
    case AttributeProto_AttributeType.STRING:
      return new TextDecoder().decode(attribute.s);
    default:
      throw unsupported(`node "${node}": attribute ${attribute.name} is of a type that is not known`);
  }
}

/** The fixed sizes behind the batch, which comes first. */
function readShape({ name, type }: ValueInfoProto): number[] {
  const tensor = type?.value.case === "tensorType" ? type.value.value : undefined;
  if (tensor?.elemType !== TensorProto_DataType.FLOAT || !tensor.shape) {
    throw unsupported(`"${name}": expected a float32 tensor with a shape`);
  }
  return tensor.shape.dim.slice(1).map(({ value }) => {
    if (value.case !== "dimValue" || value.value < 1n) {
      throw unsupported(`"${name}": expected fixed sizes behind the batch`);
    }
    return Number(value.value);
  });
}
