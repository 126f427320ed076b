import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createLightResNet50 } from "../../../tools/light-resnet50.ts";
import { drawCase, drawNames } from "../../../tools/simd/random-graphs.ts";
import { convertKeras } from "../../convert/convert-keras.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import { openSeat, type PackedModel, packModel, weightsAddress } from "./packed-model.ts";
import { createSimdEngine } from "./simd-engine.ts";
import { openKernels } from "./simd-kernels.ts";
import { runStep } from "./steps/run-step.ts";
import type { TensorSlot } from "./tensor-slot.ts";

const builds = ["relaxed", "plain"].map(
  (build) =>
    [build, new WebAssembly.Module(readFileSync(new URL(`kernels-${build}.wasm`, import.meta.url)))] as const,
);

/** Several numbers of parts; 7 leaves parts without work in small pictures. */
const partCounts = [2, 3, 4, 7];

/** Runs each step whole and in parts, one after the other, on the same tensors. */
async function openComparison(module: WebAssembly.Module, model: PackedModel) {
  const { plan, memory } = model;
  const kernels = await openKernels(module, memory);
  const { arena, scratch } = openSeat(model, 0);
  const place = { kernels, groupSize: kernels.groupSize() as 5 | 6, weights: weightsAddress, arena, scratch };
  const floats = new Float32Array(memory.buffer);
  const words = new Int32Array(memory.buffer);
  /** The pixels of a tensor, as the bits of their floats: with all that lies behind the channels, without the rows behind. */
  const bitsOf = ({ offset, height, width, stride }: TensorSlot) => {
    const from = (arena + offset) / 4;
    return words.subarray(from, from + height * width * stride);
  };
  return (tensor: Float32Array): string[] => {
    const { height, width, stride } = plan.input;
    const channels = plan.inputShape[2];
    for (let pixel = 0, from = 0; pixel < height * width; pixel++) {
      const at = (arena + plan.input.offset) / 4 + pixel * stride;
      for (let channel = 0; channel < stride; channel++)
        floats[at + channel] = channel < channels ? tensor[from++]! : 0;
    }
    const differing: string[] = [];
    for (const step of plan.steps) {
      const bits = bitsOf(step.output);
      // A step may write a part of a tensor only: the others have written theirs.
      const before = bits.slice();
      runStep(step, { ...place, part: 0, parts: 1 });
      const whole = bits.slice();
      for (const parts of partCounts) {
        bits.set(before);
        for (let part = 0; part < parts; part++) runStep(step, { ...place, part, parts });
        if (Buffer.compare(Buffer.from(bits.slice().buffer), Buffer.from(whole.buffer)) !== 0)
          differing.push(`${step.kind} "${step.node}" in ${parts}`);
      }
    }
    return differing;
  };
}

const pictureOf = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 256) - 128);
const resNet50Values = 224 * 224 * 3;
const { onnx: resNet50 } = convertKeras(createLightResNet50(), {
  outputLayer: "avg_pool",
  inputShape: [224, 224, 3],
});

describe.each(builds)("the %s kernels give the same bits", (_, module) => {
  test("for each step of ResNet50 in any number of parts", async () => {
    const compare = await openComparison(module, packModel(resNet50));
    expect(compare(pictureOf(resNet50Values))).toEqual([]);
  });

  test.each(drawNames)("for %s in any number of parts", async (name) => {
    for (let index = 0; index < 8; index++) {
      const { graph, tensor, drawn } = drawCase(name, index);
      const compare = await openComparison(module, packModel(writeOnnx(graph)));
      expect(compare(tensor), drawn).toEqual([]);
    }
  });

  test("for a picture alone and one of three", async () => {
    const session = await createSimdEngine(module).load(resNet50);
    const pictures = [1, 2, 3].map((factor) => pictureOf(resNet50Values).map((value) => value * factor));
    const features = await session.run(Float32Array.from(pictures.flatMap((one) => [...one])), 3);
    expect(new Set(features).size).toBeGreaterThan(2048);
    for (const [index, picture] of pictures.entries())
      expect(await session.run(picture, 1)).toEqual(features.slice(index * 2048, (index + 1) * 2048));
  });
});
