import type { EngineName } from "../../engine/engine.ts";
import type { EmbedError, Reason } from "../../errors.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

/** An engine that could not start, although another is left to try. */
export interface PassedOver {
  readonly kind: "engine-passed-over";
  readonly engine: EngineName;
  readonly next: EngineName;
  readonly error: EmbedError;
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

/** What to start after a first worker that could not, if another engine may do better. */
export function nextEngine(
  setup: WorkerSetup,
  error: EmbedError,
): { readonly setup: WorkerSetup; readonly event: PassedOver } | undefined {
  const [next, ...fallbacks] = setup.fallbacks ?? [];
  if (!next || !engineReasons.includes(error.reason)) return undefined;
  return {
    setup: { ...setup, engine: next, fallbacks },
    event: { kind: "engine-passed-over", engine: setup.engine, next, error },
  };
}
