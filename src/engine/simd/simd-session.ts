import { EmbedError } from "../../errors.ts";
import type { EngineSession } from "../engine.ts";
import { defaultGangLimits, helpGang, leadGang } from "./gang.ts";
import { gangStateOf, type Part } from "./gang-state.ts";
import { openSeat, type PackedModel } from "./packed-model.ts";
import type { SimdSharing } from "./simd-sharing.ts";
import { runStep } from "./steps/run-step.ts";
import type { StepPlace } from "./steps/step.ts";

/** Where a thread works, whatever its part. */
type Workplace = Omit<StepPlace, "part" | "parts">;

export function openSimdSession(
  model: PackedModel,
  place: Workplace,
  { gang, seat }: SimdSharing,
): EngineSession {
  const { plan, memory } = model;
  const floats = new Float32Array(memory.buffer);
  const [height, width, channels] = plan.inputShape;
  const inputValues = height * width * channels;
  const state = gang && gangStateOf(gang.states, seat);
  const clock = gang && { ...defaultGangLimits, ...gang.limits, now: gang.now };

  /** Runs parts of the steps of the picture in this arena. */
  const runIn =
    (arena: number) =>
    ({ step: number, part, parts }: Part) => {
      const step = plan.steps[number]!;
      try {
        runStep(step, { ...place, arena, part, parts });
      } catch (cause) {
        throw new EmbedError("ENGINE_FAILED", `simd: node "${step.node}" could not be run`, { cause });
      }
    };
  const runOwn = runIn(place.arena);

  function writeInput(tensor: Float32Array): void {
    const input = (place.arena + plan.input.offset) / 4;
    for (let pixel = 0, from = 0; pixel < height * width; pixel++) {
      const at = input + pixel * plan.input.stride;
      for (let channel = 0; channel < channels; channel++) floats[at + channel] = tensor[from++]!;
      for (let channel = channels; channel < plan.input.stride; channel++) floats[at + channel] = 0;
    }
  }

  function runOne(tensor: Float32Array): Float32Array {
    writeInput(tensor);
    const isDone = clock && state && leadGang(state, plan.steps.length, gang.begin, runOwn, clock);
    if (isDone === false) writeInput(tensor);
    if (!isDone) for (const step of plan.steps.keys()) runOwn({ step, part: 0, parts: 1 });
    const output = (place.arena + plan.output.offset) / 4;
    return floats.slice(output, output + plan.dimension);
  }

  function help(leader: number): void {
    const theirs = gang && gangStateOf(gang.states, leader);
    if (!theirs || !state || !clock) return;
    helpGang(theirs, state, runIn(openSeat(model, leader).arena), clock);
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
    ...(gang && { help: (leader: number) => help(leader) }),
    // The memory goes with its last user.
    dispose: async () => undefined,
  };
}
