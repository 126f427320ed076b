import * as ort from "onnxruntime-web";
import { expect, test } from "vitest";
import { writeMeanOnnx } from "../../tools/foreign-onnx.ts";
import { readOnnxModel } from "../convert/onnx-format/read-onnx-model.ts";
import { createOrtWasmEngine } from "./ort-wasm.ts";

ort.env.wasm.numThreads = 1;

test.each([1, "N"])("pictures in one call, of a model that takes %s at a time", async (batch) => {
  const { onnx, isBatchFree } = readOnnxModel(writeMeanOnnx(batch), {});
  expect(isBatchFree).toBe(batch === "N");
  const session = await createOrtWasmEngine(ort).load(onnx);
  expect([session.inputShape, session.dimension]).toEqual([[2, 2, 3], 3]);
  const pictures = [1, 2, 3].flatMap((value) =>
    Array.from({ length: 4 }, () => [value, 10 * value, 100]).flat(),
  );
  const features = await session.run(Float32Array.from(pictures), 3);
  expect([...features]).toEqual([1, 10, 100, 2, 20, 100, 3, 30, 100]);
  await session.dispose();
});
