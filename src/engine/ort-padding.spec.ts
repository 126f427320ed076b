import { createRequire } from "node:module";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { requireOrtNative } from "../../tools/require-ort-native.ts";
import { flattened, integers, scalar, smallGraph } from "../../tools/simd/small-graphs.ts";
import { ints } from "../convert/graph.ts";
import { writeOnnx } from "../convert/write-onnx.ts";
import { createOrtNativeEngine } from "./ort-native.ts";
import { createOrtWasmEngine } from "./ort-wasm.ts";

// A max pool behind padding, over values that are all below zero: the zeros around them are the largest.

const native = requireOrtNative();
ort.env.wasm.numThreads = 1;
const engines = [
  createOrtWasmEngine(ort),
  ...(native ? [createOrtNativeEngine(createRequire(`${native}/package.json`)("onnxruntime-node"), 1)] : []),
];

const onnx = writeOnnx(
  smallGraph(
    [
      ["Pad", ["picture", "margins", "zero"], "padded"],
      ["MaxPool", "padded", "pooled", { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }],
      ...flattened("pooled"),
    ],
    3 * 3 * 3,
    { margins: integers(0, 0, 1, 1, 0, 0, 1, 0), zero: scalar(0) },
  ),
);

describe.each(engines)("$name", (engine) => {
  test("pads with zeros, not with minus infinity, before a max pool", async () => {
    const session = await engine.load(onnx);
    const vector = await session.run(new Float32Array(4 * 5 * 3).fill(-1), 1);
    const row = (...values: number[]) => values.flatMap((value) => [value, value, value]);
    expect([...vector]).toEqual([...row(0, 0, 0), ...row(0, -1, -1), ...row(0, 0, 0)]);
    await session.dispose();
  });
});
