import { EmbedError } from "../../errors.ts";
import type { Engine, EngineSession } from "../engine.ts";
import { openSeat, type PackedModel, packModel, weightsAddress } from "./packed-model.ts";
import { openKernels } from "./simd-kernels.ts";
import { runStep } from "./steps/run-step.ts";
import type { StepPlace } from "./steps/step.ts";

/** How several threads come to one copy of the weights. */
export interface SimdSharing {
  /** Number of this thread among those that live. */
  readonly seat: number;
  /** What another thread has packed; the model's bytes are then not looked at. */
  readonly packed?: PackedModel | undefined;
  /** Told of what this thread has packed. */
  readonly onPacked?: (packed: PackedModel) => void;
}

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
      const seat = openSeat(model, sharing.seat);
      return openSession(model, { kernels, groupSize, weights: weightsAddress, ...seat, part: 0, parts: 1 });
    },
  };
}

function openSession({ plan, memory }: PackedModel, place: StepPlace): EngineSession {
  const floats = new Float32Array(memory.buffer);
  const [height, width, channels] = plan.inputShape;
  const inputValues = height * width * channels;

  function runOne(tensor: Float32Array): Float32Array {
    const input = (place.arena + plan.input.offset) / 4;
    for (let pixel = 0, from = 0; pixel < height * width; pixel++) {
      const at = input + pixel * plan.input.stride;
      for (let channel = 0; channel < channels; channel++) floats[at + channel] = tensor[from++]!;
      for (let channel = channels; channel < plan.input.stride; channel++) floats[at + channel] = 0;
    }
    for (const step of plan.steps) {
      try {
        runStep(step, place);
      } catch (cause) {
        throw new EmbedError("ENGINE_FAILED", `simd: node "${step.node}" could not be run`, { cause });
      }
    }
    const output = (place.arena + plan.output.offset) / 4;
    return floats.slice(output, output + plan.dimension);
  }

  return {
    inputShape: plan.inputShape,
    dimension: plan.dimension,
    async run(tensor, batch) {
      if (tensor.length !== batch * inputValues) {
        throw new EmbedError(
          "ENGINE_FAILED",
          `simd: expected ${batch} x ${inputValues} values, got ${tensor.length}`,
        );
      }
      const features = new Float32Array(batch * plan.dimension);
      for (let picture = 0; picture < batch; picture++) {
        const one = tensor.subarray(picture * inputValues, (picture + 1) * inputValues);
        features.set(runOne(one), picture * plan.dimension);
      }
      return features;
    },
    // The memory goes with its last user.
    dispose: async () => undefined,
  };
}
