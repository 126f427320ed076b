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
import { checkOpset } from "./check-opset.ts";

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
  /** Of int64 values. */
  readonly integers?: readonly number[];
  /** Of float32 values, which are read when they are asked for; the result is good until those of any constant are. */
  readonly floats?: () => Float32Array;
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
    nodes: graph.node.map(readNode),
    constants,
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

function readConstant(tensor: TensorProto, readFloats: (tensor: TensorProto) => Float32Array): OnnxConstant {
  const { name, dataType, rawData } = tensor;
  const shape = tensor.dims.map(Number);
  if (shape.some((size) => size < 1))
    throw unsupported(`constant "${name}": expected sizes of at least 1, got (${shape.join(", ")})`);
  const isFloat = dataType === TensorProto_DataType.FLOAT;
  if (!isFloat && dataType !== TensorProto_DataType.INT64)
    throw unsupported(`constant "${name}": expected float32 or int64 values, got type ${dataType}`);
  const listed = isFloat ? tensor.floatData : tensor.int64Data;
  const size = isFloat ? 4 : 8;
  const isWhole = rawData.length % size === 0;
  const got = rawData.length === 0 ? listed.length : isWhole ? rawData.length / size : 0;
  const count = shape.reduce((a, b) => a * b, 1);
  if (got !== count) {
    throw new EmbedError(
      "MODEL_CORRUPT",
      `constant "${name}": expected ${count} values for (${shape.join(", ")}), got ${got}`,
    );
  }
  return isFloat ? { shape, floats: () => readFloats(tensor) } : { shape, integers: readIntegers(tensor) };
}

/** ONNX stores numbers so; nearly every machine does too. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Reads float32 values, into the same memory each time: a tensor lies at any byte of its model, but a Float32Array begins at
 * a multiple of four, and copies of all weights at once would be as large as the model.
 */
function createFloatReader(): (tensor: TensorProto) => Float32Array {
  let last: { readonly tensor: TensorProto; readonly values: Float32Array } | undefined;
  let memory = new ArrayBuffer(0);
  return (tensor) => {
    if (last?.tensor !== tensor) last = { tensor, values: read(tensor) };
    return last.values;
  };

  function read({ rawData, floatData }: TensorProto): Float32Array {
    if (rawData.length === 0) return Float32Array.from(floatData);
    if (memory.byteLength < rawData.length) memory = new ArrayBuffer(rawData.length);
    new Uint8Array(memory).set(rawData);
    const values = new Float32Array(memory, 0, rawData.length / 4);
    if (!isLittleEndian) {
      const view = new DataView(memory);
      for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
    }
    return values;
  }
}

function readIntegers({ rawData, int64Data }: TensorProto): number[] {
  if (rawData.length === 0) return int64Data.map(Number);
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.length / 8 }, (_, i) => Number(view.getBigInt64(8 * i, true)));
}

export function unsupported(message: string): EmbedError {
  return new EmbedError("ENGINE_UNSUPPORTED", `simd: ${message}`);
}
