import type { Engine } from "../engine.ts";
import { openSeat, packModel, weightsAddress } from "./packed-model.ts";
import { openKernels } from "./simd-kernels.ts";
import { openSimdSession } from "./simd-session.ts";
import type { SimdSharing } from "./simd-sharing.ts";

/**
 * Our own kernels in WebAssembly: SIMD, packed weights, Winograd; batches go picture by picture.
 * @param module either build of the kernels: relaxed where `hasRelaxedSimd`, else plain
 */
export function createSimdEngine(module: WebAssembly.Module, sharing: SimdSharing = { seat: 0 }): Engine {
  return {
    name: "simd",
    async load(onnx) {
      const model = sharing.packed ?? packModel(onnx);
      if (!sharing.packed) sharing.onPacked?.(model);
      const kernels = await openKernels(module, model.memory);
      const groupSize = kernels.groupSize() as 5 | 6;
      const place = { kernels, groupSize, weights: weightsAddress, ...openSeat(model, sharing.seat) };
      return openSimdSession(model, place, sharing);
    },
  };
}
