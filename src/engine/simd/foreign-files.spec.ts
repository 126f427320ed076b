import { clearField } from "@bufbuild/protobuf";
import { test } from "vitest";
import { changeOnnx } from "../../../tools/simd/change-onnx.ts";
import { expectSame } from "../../../tools/simd/expect-same.ts";
import { floats, smallGraph } from "../../../tools/simd/small-graphs.ts";
import { type GraphProto, TensorProtoSchema } from "../../gen/onnx/onnx_pb.ts";

const graph = smallGraph(
  [
    ["GlobalAveragePool", "picture", "pooled"],
    ["Flatten", "pooled", "flat"],
    ["Gemm", ["flat", "w"], "last"],
  ],
  5,
  { w: floats(3, 5) },
);

const fixed = (value: number) => ({
  $typeName: "onnx.TensorShapeProto.Dimension" as const,
  denotation: "",
  value: { case: "dimValue" as const, value: BigInt(value) },
});

/** The shape of the input, which can be changed. */
function shapeOf({ input }: GraphProto) {
  const type = input[0]?.type?.value;
  if (type?.case !== "tensorType" || !type.value.shape) throw new Error("the input has no shape");
  return type.value.shape;
}

/** What other writers of ONNX put into a file, and ours does not. */
test.each<[string, (graph: GraphProto) => unknown]>([
  [
    "a constant that is an input too",
    (proto) => {
      const [input] = proto.input;
      proto.input.unshift({ ...structuredClone(input!), name: "w" });
      shapeOf(proto).dim = [fixed(3), fixed(5)];
    },
  ],
  [
    "numbers instead of bytes",
    ({ initializer: [weights] }) => {
      weights!.floatData = [...new Float32Array(new Uint8Array(weights!.rawData).buffer)];
      clearField(weights!, TensorProtoSchema.field.rawData);
    },
  ],
  ["a fixed number of pictures", (proto) => void shapeOf(proto).dim.splice(0, 1, fixed(2))],
  ["an input that is left out", ({ node }) => void node[3]!.input.push("")],
  ["the domain by its name", ({ node }) => node.map((one) => Object.assign(one, { domain: "ai.onnx" }))],
])("%s is read right", async (_, change) => {
  await expectSame(changeOnnx(graph, change));
});
