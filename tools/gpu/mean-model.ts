import { type Graph, ints } from "../../src/convert/graph.ts";
import { writeOnnx } from "../../src/convert/write-onnx.ts";
import type { SelfCheck } from "../../src/embed/self-check.ts";
import type { CheckedSetup } from "../../src/node/pool/worker-protocol.ts";
import { flatPng } from "../load/flat-png.ts";
import { openTinyModel } from "../load/tiny-model.ts";

/** The mean of each channel: a software GPU compiles its few programs in a second. */
const graph: Graph = {
  input: { name: "input", shape: [8, 8, 3] },
  output: { name: "flat", dimension: 3 },
  nodes: [
    { op: "Transpose", inputs: ["input"], output: "picture", attributes: { perm: ints([0, 3, 1, 2]) } },
    { op: "GlobalAveragePool", inputs: ["picture"], output: "pooled", attributes: {} },
    { op: "Flatten", inputs: ["pooled"], output: "flat", attributes: {} },
  ],
  constants: new Map(),
};

/** ImageNet's, of blue, green and red, which the model's preprocessing takes away. */
const means = [103.939, 116.779, 123.68];

/** A grey picture and its vector by that model. */
export function greyPicture(tone: number): SelfCheck {
  const features = means.map((mean) => tone - mean);
  const norm = Math.hypot(...features);
  const vector = Float32Array.from(features, (value) => value / norm);
  return { name: `a picture of tone ${tone}`, bytes: flatPng(8, 8, tone), vector, tolerance: 1e-6 };
}

export async function openMeanModel(): Promise<CheckedSetup> {
  const { setup } = await openTinyModel();
  return { ...setup, onnx: writeOnnx(graph), selfCheck: greyPicture(110) };
}
