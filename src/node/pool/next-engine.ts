import type { EngineName } from "../../engine/engine.ts";
import { isEnginesFault } from "../../engine/engine-order.ts";
import type { EmbedError } from "../../errors.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

/** An engine that could not start, although another is left to try. */
export interface PassedOver {
  readonly kind: "engine-passed-over";
  readonly engine: EngineName;
  readonly next: EngineName;
  readonly error: EmbedError;
}

/** What to start after a first worker that could not, if another engine may do better. */
export function nextEngine(
  setup: WorkerSetup,
  error: EmbedError,
): { readonly setup: WorkerSetup; readonly event: PassedOver } | undefined {
  const [next, ...fallbacks] = setup.fallbacks ?? [];
  if (!next || !isEnginesFault(error)) return undefined;
  return {
    setup: { ...setup, engine: next, fallbacks },
    event: { kind: "engine-passed-over", engine: setup.engine, next, error },
  };
}

/**
 * The same for a worker that was lost later. Most engines are started again, since a picture or chance was to blame.
 * `ort-webgpu` has tried another device by itself before it fails, and what is wrong with a GPU often stays wrong.
 */
export function nextEngineAfterLoss(setup: WorkerSetup, error: EmbedError): ReturnType<typeof nextEngine> {
  return setup.engine === "ort-webgpu" ? nextEngine(setup, error) : undefined;
}
