import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web";
import type { Int8Ranges } from "../../src/convert/variants/int8-ranges.ts";
import {
  ModelProtoSchema,
  TensorProto_DataType,
  TypeProto_TensorSchema,
  ValueInfoProtoSchema,
} from "../../src/gen/onnx/onnx_pb.ts";
import { type HeldTensor, listHeldTensors } from "./held-tensors.ts";

/**
 * A summand is cut off at this share of its largest value below zero. Few sums end above zero there, and the `Relu` behind cuts
 * off the rest; the finer steps gain more than that loses.
 */
const summandLeastShare = 0.5;

/**
 * Smallest and largest value of each tensor that int8 holds, over all pictures, in four significant figures. onnxruntime-web
 * computes, whose values are the same bits everywhere.
 * @param onnx of the fp32 model, which takes (N, side, side, 3)
 */
export async function measureRanges(
  onnx: Uint8Array,
  tensors: readonly Float32Array[],
  shape: readonly [height: number, width: number],
): Promise<Int8Ranges> {
  ort.env.wasm.numThreads = 1;
  const model = fromBinary(ModelProtoSchema, onnx);
  const held = listHeldTensors(model.graph!);
  model.graph!.output.push(...held.map(({ name }) => anyFloats(name)));
  const session = await ort.InferenceSession.create(toBinary(ModelProtoSchema, model));
  const ranges = new Map(held.map(({ name }) => [name, { least: 0, most: 0 }]));
  for (const tensor of tensors) {
    const input = new ort.Tensor("float32", tensor, [1, ...shape, 3]);
    const results = await session.run({ [session.inputNames[0]!]: input });
    for (const [name, range] of ranges) widen(range, results[name]!.data as Float32Array);
  }
  await session.release();
  return Object.fromEntries(held.map(({ name, kind }) => [name, rangeOf(kind, ranges.get(name)!)]));
}

interface Range {
  least: number;
  most: number;
}

function widen(range: Range, values: Float32Array): void {
  let { least, most } = range;
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  Object.assign(range, { least, most });
}

function rangeOf(kind: HeldTensor["kind"], { least, most }: Range): readonly [number, number] {
  const kept = kind === "summand" ? Math.max(least, -most * summandLeastShare) : 0;
  return [Number(kept.toPrecision(4)), Number(most.toPrecision(4))];
}

/** A float32 tensor as an output of the graph; its shape follows from the nodes. */
function anyFloats(name: string) {
  const tensor = create(TypeProto_TensorSchema, { elemType: TensorProto_DataType.FLOAT });
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: tensor } } });
}
