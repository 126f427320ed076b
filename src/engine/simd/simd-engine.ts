import { EmbedError } from "../../errors.ts";
import type { Engine, EngineSession } from "../engine.ts";
import { align } from "./arena.ts";
import { planModel, type SimdPlan } from "./plan.ts";
import { readOnnxGraph, unsupported } from "./read-onnx-graph.ts";
import { openKernels, type SimdKernels } from "./simd-kernels.ts";
import { runStep } from "./steps/run-step.ts";

const pageBytes = 65_536;
/** WebAssembly's own bound: 4 GiB. */
const mostPages = 65_536;
/** Nothing lies at address 0, which stands for "none". */
const firstAddress = 1024;

/**
 * Our own kernels in WebAssembly: SIMD, packed weights, Winograd; batches go picture by picture.
 * @param module either build of the kernels: relaxed where `hasRelaxedSimd`, else plain
 */
export function createSimdEngine(module: WebAssembly.Module): Engine {
  return {
    name: "simd",
    async load(onnx) {
      const { plan, weights } = planModel(readOnnxGraph(onnx));
      const arena = firstAddress + plan.weightBytes;
      const memory = openMemory(align(arena + plan.arenaBytes + plan.scratchBytes));
      weights.writeTo(memory.buffer, firstAddress);
      const kernels = await openKernels(module, memory);
      return openSession(plan, memory, kernels, arena);
    },
  };
}

/** @throws EmbedError `ENGINE_UNSUPPORTED` if no such memory can be had */
function openMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / pageBytes) + 1;
  const message = `expected a model of at most ${mostPages * pageBytes} bytes with its tensors that memory holds, got ${bytes}`;
  if (pages > mostPages) throw unsupported(message);
  try {
    // The kernels' import says the most there may be, so this must not say more.
    return new WebAssembly.Memory({ initial: pages, maximum: mostPages, shared: true });
  } catch (cause) {
    throw new EmbedError("ENGINE_UNSUPPORTED", `simd: ${message}`, { cause });
  }
}

function openSession(
  plan: SimdPlan,
  memory: WebAssembly.Memory,
  kernels: SimdKernels,
  arena: number,
): EngineSession {
  const place = {
    kernels,
    weights: firstAddress,
    arena,
    scratch: arena + plan.arenaBytes,
    groupSize: kernels.groupSize() as 5 | 6,
    part: 0,
    parts: 1,
  };
  const floats = new Float32Array(memory.buffer);
  const [height, width, channels] = plan.inputShape;
  const inputValues = height * width * channels;

  function runOne(tensor: Float32Array): Float32Array {
    const input = (arena + plan.input.offset) / 4;
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
    const output = (arena + plan.output.offset) / 4;
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
    // The memory goes with the session.
    dispose: async () => undefined,
  };
}
