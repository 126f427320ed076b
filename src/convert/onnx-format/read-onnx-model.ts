import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { EmbedError } from "../../errors.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../gen/onnx/onnx_pb.ts";
import { invalidModel } from "../convert-error.ts";
import { checkOnnxGraph } from "./check-onnx-graph.ts";
import { checkOnnxWire } from "./check-onnx-wire.ts";
import { findLayout, type Layout } from "./find-layout.ts";

interface OnnxOptions {
  /** Height and width to feed, for a model that leaves them open. */
  readonly size?: readonly [height: number, width: number];
  /** What is done with an output that is still a picture: (N, channels, height, width). Default: avg. */
  readonly pooling?: OnnxPooling;
}

type OnnxPooling = "avg" | "max" | "none";

interface OnnxModel {
  /** A model with one input (N, height, width, 3) and one output (N, dimension), float32. */
  readonly onnx: Uint8Array<ArrayBuffer>;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly dimension: number;
  /** The name of the model's own output. */
  readonly output: string;
  /** What was done with that output. */
  readonly pooling: OnnxPooling;
  /** How the model itself takes pictures. */
  readonly layout: Layout;
  /** False if the model takes one picture at a time, as many are exported. */
  readonly isBatchFree: boolean;
}

/** A size that is not fixed. */
type Size = number | undefined;

const inputName = "portico_input";

/**
 * Takes an ONNX model with one picture as its input and one output: checks it, and gives it the input and output that
 * Portico's own models have. Channels may come first, as PyTorch has them, or last; an output that is still a picture
 * is pooled or flattened.
 * @throws EmbedError `CONVERT_INVALID`
 */
export function readOnnxModel(bytes: Uint8Array, options: OnnxOptions): OnnxModel {
  const model = parse(bytes);
  const graph = checkOnnxGraph(model);
  const input = oneInput(graph);
  const [output, ...others] = graph.output;
  if (!output || others.length > 0) {
    throw invalidModel(`expected a model with one output, got ${listNames(graph.output)}`);
  }
  const { layout, inputShape, isBatchFree } = readInput(input, options.size);
  const taken = new Set([
    ...graph.node.flatMap((node) => node.output),
    ...graph.input.map(({ name }) => name),
  ]);
  if (taken.has(inputName)) throw invalidModel(`expected no tensor of the name ${inputName}`);
  const batch = isBatchFree ? undefined : 1;
  const tail = addTail(graph, output, { name: input.name, layout }, options.pooling);

  const head = layout === "NCHW" ? [node("Transpose", inputName, input.name, [["perm", [0, 3, 1, 2]]])] : [];
  if (layout === "NHWC") head.push(node("Identity", inputName, input.name));
  graph.node = [...head, ...graph.node, ...tail.nodes];
  graph.input = [
    tensorInfo(inputName, [batch, ...inputShape]),
    ...graph.input.filter((other) => other !== input),
  ];
  graph.output = [tensorInfo(tail.name, [batch, tail.dimension])];
  const onnx = toBinary(ModelProtoSchema, model);
  const { dimension, pooling } = tail;
  return { onnx, inputShape, dimension, output: output.name, pooling, layout, isBatchFree };
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    checkOnnxWire(bytes);
    return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false });
  } catch (cause) {
    if (cause instanceof EmbedError) throw cause;
    throw invalidModel(`expected an ONNX model, got ${bytes.length} bytes that are none`, cause);
  }
}

function oneInput(graph: GraphProto): ValueInfoProto {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  const [input, ...others] = graph.input.filter(({ name }) => !weights.has(name));
  if (!input || others.length > 0) {
    const names = listNames(graph.input.filter(({ name }) => !weights.has(name)));
    throw invalidModel(`expected a model with one input, got ${names}`);
  }
  return input;
}

function readInput(
  input: ValueInfoProto,
  size: readonly [number, number] | undefined,
): Pick<OnnxModel, "layout" | "inputShape" | "isBatchFree"> {
  const shape = readShape(input);
  const what = `input "${input.name}" (${shape?.map((length) => length ?? "?").join(", ")})`;
  if (shape?.length !== 4) {
    throw invalidModel(`${what}: expected float32 pictures, (N, 3, height, width) or (N, height, width, 3)`);
  }
  const [batch, first, , last] = shape;
  if ((first === 3) === (last === 3)) {
    throw invalidModel(`${what}: expected pictures of 3 channels, either before or behind height and width`);
  }
  const layout = first === 3 ? "NCHW" : "NHWC";
  const [height, width] = layout === "NCHW" ? [shape[2], shape[3]] : [shape[1], shape[2]];
  if (batch !== undefined && batch !== 1) {
    throw invalidModel(`${what}: expected any number of pictures, or one at a time, got ${batch}`);
  }
  const takes = (own: Size, wanted: number | undefined) => own === undefined || own === wanted;
  if (size && !(takes(height, size[0]) && takes(width, size[1]))) {
    throw invalidModel(`${what}: does not take pictures of ${size[0]} x ${size[1]}`);
  }
  const [fedHeight, fedWidth] = [height ?? size?.[0], width ?? size?.[1]];
  if (fedHeight === undefined || fedWidth === undefined) {
    throw invalidModel(`${what}: leaves height or width open; say the size`);
  }
  return { layout, inputShape: [fedHeight, fedWidth, 3], isBatchFree: batch === undefined };
}

interface Tail {
  readonly nodes: ReturnType<typeof node>[];
  readonly name: string;
  readonly dimension: number;
  readonly pooling: OnnxPooling;
}

/** From the model's own output to (N, dimension). */
function addTail(
  graph: GraphProto,
  output: ValueInfoProto,
  input: { readonly name: string; readonly layout: Layout },
  wanted: OnnxPooling | undefined,
): Tail {
  const shape = readShape(output);
  const what = `output "${output.name}" (${shape?.map((length) => length ?? "?").join(", ")})`;
  if (!graph.node.some((one) => one.output.includes(output.name))) {
    throw invalidModel(`${what}: no node gives it`);
  }
  const sizes = shape?.slice(1);
  if (sizes?.length === 1 && sizes[0] !== undefined) {
    if (wanted === "avg" || wanted === "max") {
      throw invalidModel(`${what}: is pooled already; expected pooling none`);
    }
    return { nodes: [], name: output.name, dimension: sizes[0], pooling: "none" };
  }
  if (sizes?.length !== 3) {
    throw invalidModel(`${what}: expected float32 of known sizes, (N, dimension) or a picture with channels`);
  }
  const flat = "portico_output";
  const pooling = wanted ?? "avg";
  if (pooling === "none") {
    const [first, second, third] = sizes;
    if (first === undefined || second === undefined || third === undefined) {
      throw invalidModel(`${what}: leaves a size open; it can be pooled, not flattened`);
    }
    const nodes = [node("Flatten", output.name, flat)];
    return { nodes, name: flat, dimension: first * second * third, pooling };
  }
  const layout = findLayout(graph, output.name, input);
  if (!layout) {
    throw invalidModel(
      `${what}: its nodes do not say which size is that of the channels; export the model with its pooling`,
    );
  }
  const dimension = layout === "NCHW" ? sizes[0] : sizes[2];
  if (dimension === undefined) throw invalidModel(`${what}: leaves the number of channels open`);
  const picture = layout === "NCHW" ? output.name : "portico_channels_first";
  const op = pooling === "avg" ? "GlobalAveragePool" : "GlobalMaxPool";
  return {
    nodes: [
      ...(layout === "NHWC" ? [node("Transpose", output.name, picture, [["perm", [0, 3, 1, 2]]])] : []),
      node(op, picture, "portico_pooled"),
      node("Flatten", "portico_pooled", flat),
    ],
    name: flat,
    dimension,
    pooling,
  };
}

function node(
  opType: string,
  input: string,
  output: string,
  attributes: readonly (readonly [string, readonly number[]])[] = [],
) {
  return create(NodeProtoSchema, {
    name: output,
    opType,
    input: [input],
    output: [output],
    attribute: attributes.map(([name, ints]) =>
      create(AttributeProtoSchema, {
        name,
        type: AttributeProto_AttributeType.INTS,
        ints: ints.map(BigInt),
      }),
    ),
  });
}

/** The sizes of a float32 tensor, batch first. */
function readShape({ type }: ValueInfoProto): readonly Size[] | undefined {
  if (type?.value.case !== "tensorType") return undefined;
  const { elemType, shape } = type.value.value;
  if (elemType !== TensorProto_DataType.FLOAT || !shape) return undefined;
  return shape.dim.map(({ value }) =>
    value.case === "dimValue" && value.value > 0n ? Number(value.value) : undefined,
  );
}

function tensorInfo(name: string, shape: readonly Size[]): ValueInfoProto {
  const dim = shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        size === undefined ? { case: "dimParam", value: "N" } : { case: "dimValue", value: BigInt(size) },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: TensorProto_DataType.FLOAT,
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } });
  return create(ValueInfoProtoSchema, { name, type });
}

function listNames(values: readonly ValueInfoProto[]): string {
  return `${values.length} (${values.map(({ name }) => name).join(", ")})`;
}
