import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { describe, expect, test } from "vitest";
import { drawCase, drawNames } from "../../../tools/simd/random-graphs.ts";
import { writeOnnx } from "../../convert/write-onnx.ts";
import { createOrtWasmEngine } from "../ort-wasm.ts";
import type { PackedModel } from "./packed-model.ts";
import { createSimdEngine } from "./simd-engine.ts";

const compile = (name: string) =>
  new WebAssembly.Module(readFileSync(new URL(`${name}.wasm`, import.meta.url)));
const builds = [
  ["relaxed", createSimdEngine(compile("kernels-relaxed"))],
  ["plain", createSimdEngine(compile("kernels-plain"))],
] as const;
ort.env.wasm.numThreads = 1;
const reference = createOrtWasmEngine(ort);

/** Of each kind of node; 24 kinds make 600 cases. */
const casesOfEach = 25;

/** Largest difference as a part of the largest value. Winograd adds larger numbers that cancel each other. */
const tolerance = (name: string) => (name === "Conv, 3x3" ? 1e-5 : 3e-6);

describe("each operator gives what onnxruntime-web gives, whatever the sizes", () => {
  test.each(drawNames)("%s", async (name) => {
    for (let index = 0; index < casesOfEach; index++) {
      const { graph, tensor, drawn } = drawCase(name, index);
      const onnx = writeOnnx(graph);
      const session = await reference.load(onnx);
      const expected = await session.run(tensor, 1);
      await session.dispose();
      const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0.1);
      for (const [build, engine] of builds) {
        const own = await engine.load(onnx);
        const features = await own.run(tensor, 1);
        const worst = features.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
        expect(features.length, drawn).toBe(expected.length);
        expect(worst / scale, `${build}: ${drawn}`).toBeLessThan(tolerance(name));
      }
    }
  });
});

describe("threads that share one copy of the weights", () => {
  test.each(["kernels-relaxed", "kernels-plain"])("%s: each seat has memory of its own", async (build) => {
    const { graph, tensor } = drawCase("Conv, 3x3", 7);
    const module = compile(build);
    const made: PackedModel[] = [];
    const first = await createSimdEngine(module, {
      seat: 0,
      onPacked: (model) => made.push(model),
    }).load(writeOnnx(graph));
    const expected = await first.run(tensor, 1);
    const other = tensor.map((value) => -value);
    // No bytes of the model: the others never look at them.
    const sessions = [];
    for (const seat of [3, 1]) {
      sessions.push(await createSimdEngine(module, { seat, packed: made[0] }).load(new Uint8Array(0)));
    }
    for (const session of sessions) {
      expect(await session.run(other, 1)).not.toEqual(expected);
      expect(await session.run(tensor, 1)).toEqual(expected);
      expect(await first.run(tensor, 1)).toEqual(expected);
    }
  });
});
