import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType } from "../src/gen/onnx/onnx_pb.ts";

/** An ONNX model as another tool would export it. */
interface ForeignModel {
  /** Of the input `x` and the output `y`, float32; a text is a size that is open. */
  readonly input: readonly (number | string)[];
  readonly output: readonly (number | string)[];
  /** Operator, inputs and output of each node. */
  readonly nodes: readonly (readonly [opType: string, inputs: readonly string[], output: string])[];
  /** Lists of whole numbers (int64) that nodes take. */
  readonly lists?: Readonly<Record<string, readonly number[]>>;
}

export function writeForeignOnnx({
  input,
  output,
  nodes,
  lists = {},
}: ForeignModel): Uint8Array<ArrayBuffer> {
  const model = create(ModelProtoSchema, {
    irVersion: 7n,
    opsetImport: [{ domain: "", version: 13n }],
    graph: {
      name: "foreign",
      input: [tensor("x", input)],
      output: [tensor("y", output)],
      node: nodes.map(([opType, inputs, to]) => ({ opType, name: to, input: [...inputs], output: [to] })),
      initializer: Object.entries(lists).map(([name, values]) => ({
        name,
        dims: [BigInt(values.length)],
        dataType: TensorProto_DataType.INT64,
        int64Data: values.map(BigInt),
      })),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function tensor(name: string, sizes: readonly (number | string)[]) {
  const dim = sizes.map((size) => ({
    value:
      typeof size === "number"
        ? ({ case: "dimValue", value: BigInt(size) } as const)
        : ({ case: "dimParam", value: size } as const),
  }));
  const value = { elemType: TensorProto_DataType.FLOAT, shape: { dim } };
  return { name, type: { value: { case: "tensorType", value } as const } };
}

/** The mean of each channel of a picture, (batch, 3, 2, 2). */
export function writeMeanOnnx(batch: number | string): Uint8Array<ArrayBuffer> {
  return writeForeignOnnx({
    input: [batch, 3, 2, 2],
    output: [batch, 3],
    nodes: [
      ["GlobalAveragePool", ["x"], "mean"],
      ["Flatten", ["mean"], "y"],
    ],
  });
}

/** A few hundred bytes that take 2.7 GB: a picture of one pixel made 15,000 x 15,000 large. */
export function writeHugeOnnx(): Uint8Array<ArrayBuffer> {
  return writeForeignOnnx({
    input: ["N", 3, 1, 1],
    output: ["N", 3],
    nodes: [
      ["Expand", ["x", "huge"], "large"],
      ["GlobalAveragePool", ["large"], "mean"],
      ["Flatten", ["mean"], "y"],
    ],
    lists: { huge: [1, 3, 15_000, 15_000] },
  });
}
