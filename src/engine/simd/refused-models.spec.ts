import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Constant, type Graph, int, ints } from "../../convert/graph.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import { createSimdEngine } from "./simd-engine.ts";

const engine = createSimdEngine(
  new WebAssembly.Module(readFileSync(new URL("kernels-plain.wasm", import.meta.url))),
);

const floats = (...shape: number[]): Constant => ({
  kind: "float32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** One node on a picture of 4 x 4 pixels and 3 channels. */
function graphOf(node: Partial<Graph["nodes"][number]>, constants: [string, Constant][] = []): Graph {
  return {
    input: { name: "input", shape: [4, 4, 3] },
    output: { name: "last", dimension: 48 },
    nodes: [
      { op: "Transpose", inputs: ["input"], output: "picture", attributes: { perm: ints([0, 3, 1, 2]) } },
      { op: "Relu", inputs: ["picture"], output: "last", attributes: {}, ...node },
    ],
    constants: new Map(constants),
  };
}

test.each<[string, Uint8Array, string, string]>([
  [
    "bytes that are no model",
    Uint8Array.of(8, 255),
    "MODEL_CORRUPT",
    "expected an ONNX model, got 2 bytes that are none",
  ],
  [
    "a model without a graph",
    new Uint8Array(0),
    "MODEL_CORRUPT",
    "expected an ONNX model with a graph, got none",
  ],
  [
    "an operator that it lacks",
    writeOnnx(graphOf({ op: "Erf" })),
    "ENGINE_UNSUPPORTED",
    'simd: node "last" (Erf): this operator is not known; known: Add, AveragePool, BatchNormalization,',
  ],
  [
    "an input that no node gives",
    writeOnnx(graphOf({ inputs: ["nobody"] })),
    "ENGINE_UNSUPPORTED",
    'simd: node "last" (Relu): expected its input 0 to be the result of a node before it',
  ],
  [
    "another order of axes",
    writeOnnx(graphOf({ op: "Transpose", attributes: { perm: ints([0, 1, 3, 2]) } })),
    "ENGINE_UNSUPPORTED",
    'simd: node "last" (Transpose): the order 0,1,3,2 is not known; known: 0,3,1,2 and 0,2,3,1',
  ],
  [
    "weights of other channels",
    writeOnnx(graphOf({ op: "Conv", inputs: ["picture", "w"] }, [["w", floats(8, 5, 3, 3)]])),
    "MODEL_CORRUPT",
    'node "last": expected weights (filters, 3 / 1, height, width), got (8, 5, 3, 3)',
  ],
  [
    "a window larger than the picture",
    writeOnnx(graphOf({ op: "Conv", inputs: ["picture", "w"] }, [["w", floats(8, 3, 5, 5)]])),
    "MODEL_CORRUPT",
    'node "last": a window of 5x5 does not fit 4x4',
  ],
  [
    "padding that it would have to work out",
    writeOnnx(
      graphOf({
        op: "MaxPool",
        attributes: { kernel_shape: ints([2, 2]), ceil_mode: int(1) },
      }),
    ),
    "ENGINE_UNSUPPORTED",
    'simd: node "last": MaxPool with ceil_mode is not known',
  ],
  [
    "an output that is no vector",
    writeOnnx(graphOf({})),
    "ENGINE_UNSUPPORTED",
    "simd: expected an output of 48 values, got (4, 4, 3)",
  ],
])("refuses %s", async (_, onnx, reason, message) => {
  const error = await engine.load(onnx).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
});

test("refuses a tensor of another size", async () => {
  const flat: Graph = {
    ...graphOf({ op: "GlobalAveragePool", output: "pooled" }),
    output: { name: "flat", dimension: 3 },
  };
  const nodes = [...flat.nodes, { op: "Flatten", inputs: ["pooled"], output: "flat", attributes: {} }];
  const session = await engine.load(writeOnnx({ ...flat, nodes }));
  await expect(session.run(new Float32Array(47), 1)).rejects.toMatchObject({
    reason: "ENGINE_FAILED",
    message: "simd: expected 1 x 48 values, got 47",
  });
  const features = await session.run(new Float32Array(96).fill(1), 2);
  expect([...features]).toEqual([1, 1, 1, 1, 1, 1]);
});
