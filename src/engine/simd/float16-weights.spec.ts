import { describe, expect, test } from "vitest";
import { changeOnnx } from "../../../tools/simd/change-onnx.ts";
import { expectSame } from "../../../tools/simd/expect-same.ts";
import { flattened, floats, type ShortNode, smallGraph } from "../../../tools/simd/small-graphs.ts";
import { type Constant, int } from "../../convert/graph.ts";
import { toFloat16 } from "../../convert/variants/float16.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import { float16Values } from "./float16-values.ts";
import { readOnnxGraph } from "./read-onnx-graph.ts";

const nodes: readonly ShortNode[] = [
  ["Cast", "w", "cast", { to: int(1) }],
  ["Conv", ["picture", "cast"], "a"],
  ...flattened("a"),
];
const { data } = floats(8, 3, 1, 1) as { data: Float32Array };
const w: Constant = { kind: "float16", shape: [8, 3, 1, 1], data: toFloat16(data, "w") };
const graph = smallGraph(nodes, 160, { w });

test("every number of float16 is what IEEE 754 says, and rounds to itself", () => {
  const known: [number, number][] = [
    ...([
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
    ] as [number, number][]),
    ...([
      [0x8000, -0],
      [0x7c00, Infinity],
      [0xfc00, -Infinity],
      [0x7e00, Number.NaN],
    ] as [number, number][]),
  ];
  for (const [bits, value] of known) expect(float16Values[bits]).toBe(value);
  const finite = Array.from({ length: 65_536 }, (_, bits) => bits).filter(
    (bits) => (bits & 0x7c00) !== 0x7c00,
  );
  const again = toFloat16(
    Float32Array.from(finite, (bits) => float16Values[bits]!),
    "all",
  );
  expect(Array.from(again)).toEqual(finite);
});

describe("float16 weights that are cast to float32", () => {
  test("are read as they are, and their node is gone", () => {
    const { nodes: read, constants } = readOnnxGraph(writeOnnx(graph));
    expect(read.map(({ op }) => op)).toEqual(["Transpose", "Conv", "Transpose", "Flatten"]);
    const values = constants.get("cast")!.floats!();
    expect(values).toEqual(Float32Array.from(w.data as Uint16Array, (bits) => float16Values[bits]!));
  });

  test("give what onnxruntime-web gives", () => expectSame(writeOnnx(graph)));

  test.each<[string, Uint8Array, string]>([
    [
      "to another type",
      changeOnnx(graph, ({ node }) => Object.assign(node[1]!.attribute[0]!, { i: 11n })),
      'simd: node "cast" (Cast): this operator is not known; known: ',
    ],
    [
      "and are no constant",
      changeOnnx(graph, ({ node }) => Object.assign(node[1]!, { input: ["picture"] })),
      'simd: node "cast" (Cast): this operator is not known; known: ',
    ],
    [
      "with an attribute more",
      changeOnnx(
        graph,
        ({ node }) => void node[1]!.attribute.push({ ...node[1]!.attribute[0]!, name: "saturate" }),
      ),
      'simd: node "cast" (Cast): this operator is not known; known: ',
    ],
  ])("are refused %s", async (_, onnx, message) => {
    await expect(expectSame(onnx)).rejects.toMatchObject({
      reason: "ENGINE_UNSUPPORTED",
      message: expect.stringContaining(message),
    });
  });

  test("values that are too few for their shape are corrupt", () => {
    const cut = changeOnnx(graph, ({ initializer }) =>
      Object.assign(initializer[0]!, { rawData: new Uint8Array(47) }),
    );
    expect(() => readOnnxGraph(cut)).toThrow(
      expect.objectContaining({
        reason: "MODEL_CORRUPT",
        message: 'constant "w": expected 24 values for (8, 3, 1, 1), got 0',
      }),
    );
  });
});
