import { fromBinary } from "@bufbuild/protobuf";
import { EmbedError } from "../../errors.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
  type ValueInfoProto,
} from "../../gen/onnx/onnx_pb.ts";

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

export interface OnnxConstant {
  readonly shape: readonly number[];
  readonly data: Float32Array | readonly number[];
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
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, readConstant(tensor)]));
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
    nodes: graph.node.map(readNode),
    constants,
  };
}

function readNode(node: NodeProto): OnnxNode {
  const [output, ...others] = node.output.filter((name) => name !== "");
  const name = node.name || output || node.opType;
  if (node.domain !== "" && node.domain !== "ai.onnx") {
    throw unsupported(`node "${name}": operator ${node.opType} of the domain ${node.domain} is not known`);
  }
  if (output === undefined)
    throw new EmbedError("MODEL_CORRUPT", `node "${name}": expected an output, got none`);
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

function readConstant(tensor: TensorProto): OnnxConstant {
  const shape = tensor.dims.map(Number);
  const data = readValues(tensor);
  const count = shape.reduce((a, b) => a * b, 1);
  if (data.length !== count) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `constant "${tensor.name}": expected ${count} values for (${shape.join(", ")}), got ${data.length}`,
    );
  }
  return { shape, data };
}

/** ONNX stores numbers so; nearly every machine does too. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function readValues(tensor: TensorProto): Float32Array | number[] {
  const { rawData, name } = tensor;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  if (tensor.dataType === TensorProto_DataType.FLOAT) {
    if (rawData.length === 0) return Float32Array.from(tensor.floatData);
    if (rawData.length % 4 !== 0) return new Float32Array(0);
    if (!isLittleEndian)
      return Float32Array.from({ length: rawData.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
    // A tensor lies at any byte of its model, but a Float32Array begins at a multiple of four.
    return new Float32Array(new Uint8Array(rawData).buffer);
  }
  if (tensor.dataType === TensorProto_DataType.INT64) {
    if (rawData.length === 0) return tensor.int64Data.map(Number);
    return Array.from({ length: Math.floor(rawData.length / 8) }, (_, i) =>
      Number(view.getBigInt64(8 * i, true)),
    );
  }
  throw unsupported(`constant "${name}": expected float32 or int64 values, got type ${tensor.dataType}`);
}

export function unsupported(message: string): EmbedError {
  return new EmbedError("ENGINE_UNSUPPORTED", `simd: ${message}`);
}
