import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  type AttributeProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  type TensorProtoSchema,
  type TypeProtoSchema,
} from "../gen/onnx/onnx_pb.ts";
import type { Attribute, Constant, Graph } from "./graph.ts";

/**
 * Opset 13 has nearly every operator that the handlers use, and IR 7 is the version that ONNX 1.8 published with it
 * in 2020: the older the pair, the more runtimes read the file. What came later stands here, with the IR of its time.
 */
const oldest = { opset: 13, ir: 7 };
const sinceLater: ReadonlyMap<string, typeof oldest> = new Map([
  ["LayerNormalization", { opset: 17, ir: 8 }],
  ["Gelu", { opset: 20, ir: 9 }],
]);

/** Writes the graph as the bytes of an ONNX `ModelProto`. The same graph gives the same bytes. */
export function writeOnnx(graph: Graph): Uint8Array<ArrayBuffer> {
  const needed = graph.nodes.map(({ op }) => sinceLater.get(op) ?? oldest);
  const { opset, ir } = needed.reduce((newest, one) => (one.opset > newest.opset ? one : newest), oldest);
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(ir),
    opsetImport: [{ domain: "", version: BigInt(opset) }],
    producerName: "portico",
    graph: toGraphProto(graph),
  });
  return toBinary(ModelProtoSchema, model);
}

function toGraphProto(graph: Graph): MessageInitShape<typeof GraphProtoSchema> {
  const taken = new Set(graph.nodes.flatMap((node) => node.inputs));
  return {
    name: "features",
    input: [{ name: graph.input.name, type: toTypeProto(graph.input.shape) }],
    output: [{ name: graph.output.name, type: toTypeProto([graph.output.dimension]) }],
    node: graph.nodes.map((node) => ({
      name: node.output,
      opType: node.op,
      input: [...node.inputs],
      output: [node.output],
      attribute: Object.entries(node.attributes).map(([name, attribute]) =>
        toAttributeProto(name, attribute),
      ),
    })),
    initializer: [...graph.constants]
      .filter(([name]) => taken.has(name))
      .map(([name, constant]) => toTensorProto(name, constant)),
  };
}

/** float32 (N, ...shape); N is free. */
function toTypeProto(shape: readonly number[]): MessageInitShape<typeof TypeProtoSchema> {
  const sizes = shape.map((size) => ({ value: { case: "dimValue" as const, value: BigInt(size) } }));
  return {
    value: {
      case: "tensorType",
      value: {
        elemType: TensorProto_DataType.FLOAT,
        shape: { dim: [{ value: { case: "dimParam", value: "N" } }, ...sizes] },
      },
    },
  };
}

function toAttributeProto(name: string, attribute: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  switch (attribute.kind) {
    case "int":
      return { name, type: AttributeProto_AttributeType.INT, i: BigInt(attribute.value) };
    case "ints":
      return { name, type: AttributeProto_AttributeType.INTS, ints: attribute.value.map(BigInt) };
    case "float":
      return { name, type: AttributeProto_AttributeType.FLOAT, f: attribute.value };
  }
}

function toTensorProto(name: string, constant: Constant): MessageInitShape<typeof TensorProtoSchema> {
  const dims = constant.shape.map(BigInt);
  if (constant.kind === "int64") {
    return { name, dims, dataType: TensorProto_DataType.INT64, int64Data: constant.data.map(BigInt) };
  }
  const { buffer, byteOffset, byteLength } = constant.data;
  // ONNX wants raw data little-endian, which every host of Portico is.
  return {
    name,
    dims,
    dataType: rawTypes[constant.kind],
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

/** What is written as it lies in memory. */
const rawTypes = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  int8: TensorProto_DataType.INT8,
  uint8: TensorProto_DataType.UINT8,
  int32: TensorProto_DataType.INT32,
} as const satisfies Record<Exclude<Constant["kind"], "int64">, TensorProto_DataType>;
