import { hasRelaxedSimd } from "../../../src/engine/simd/relaxed-simd.ts";
import { createSimdEngine } from "../../../src/engine/simd/simd-engine.ts";
import { fetchBytes, type PageEngine } from "./page-engine.ts";

/** Portico's own engine, on one thread. */
export async function openSimd(): Promise<PageEngine> {
  const build = hasRelaxedSimd() ? "relaxed" : "plain";
  const module = await WebAssembly.compile(await fetchBytes(`/src/engine/simd/kernels-${build}.wasm`));
  const session = await createSimdEngine(module).load(await fetchBytes("/files/resnet50.onnx"));
  return { version: `${build} SIMD`, run: (tensor) => session.run(tensor, 1) };
}
