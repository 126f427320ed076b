import { EmbedError, type Reason } from "../errors.ts";
import type { EngineChoice, EngineName } from "./engine.ts";

/** Fastest first: the order in which `auto` tries them. */
export const enginesFastestFirst: readonly [EngineName, ...EngineName[]] = [
  "ort-webgpu",
  "ort-native",
  "simd",
  "ort-wasm",
];

/** What decides beforehand which engines can be started. */
export interface EngineConditions {
  /** Threads of the engine inside each worker, at least 1. */
  readonly threads: number;
  /** What is to be done before `ort-native` can be tried; undefined where it can. */
  readonly ortNativeLacks: string | undefined;
  /** The same for `ort-webgpu`; whether there is a GPU is seen by trying only. */
  readonly ortWebGpuLacks: string | undefined;
}

/**
 * What is tried in turn until one engine passes its self-check: the one that was named, or for `auto` all that
 * these conditions let start.
 * @throws EmbedError `CONFIG_INVALID` if the one that was named cannot start
 */
export function listEnginesToTry(
  choice: EngineChoice,
  conditions: EngineConditions,
): readonly [EngineName, ...EngineName[]] {
  if (choice !== "auto") {
    const obstacle = obstacleOf(choice, conditions);
    if (obstacle !== undefined) throw new EmbedError("CONFIG_INVALID", obstacle);
    return [choice];
  }
  const [first, ...others] = enginesFastestFirst.filter((name) => obstacleOf(name, conditions) === undefined);
  // Nothing stands in the way of onnxruntime-web.
  return [first ?? "ort-wasm", ...others];
}

/** Why an engine cannot start here, as far as that is known without trying. */
function obstacleOf(name: EngineName, conditions: EngineConditions): string | undefined {
  const { threads, ortNativeLacks, ortWebGpuLacks } = conditions;
  if (name === "simd" && threads > 1) {
    return `expected --threads 1 with --engine simd, got --threads ${threads}; --workers uses more cores`;
  }
  if (name === "ort-native") return ortNativeLacks;
  return name === "ort-webgpu" ? ortWebGpuLacks : undefined;
}

/** What an engine is to blame for; the model, the self-check's picture and the end of the server are not its doing. */
const engineReasons: readonly Reason[] = [
  // It lacks an operator of the model.
  "ENGINE_UNSUPPORTED",
  // Its vector of the self-check is not Keras's.
  "VECTOR_DRIFT",
  // It threw, hung or ended its thread.
  "ENGINE_FAILED",
  // Its package cannot be loaded here.
  "CONFIG_INVALID",
];

/** Whether another engine may do better with what this error ended. */
export const isEnginesFault = (error: EmbedError): boolean => engineReasons.includes(error.reason);
