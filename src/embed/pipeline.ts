import type { EngineSession } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";
import { createEmbedPictures } from "./embed-pictures.ts";
import type { EmbedResult } from "./embedder.ts";
import { createPrepareImage, type PrepareStages } from "./prepare-image.ts";

export interface PipelineStages extends PrepareStages {
  readonly session: EngineSession;
}

/** One image from encoded bytes to its embedding; never rejects. Calls must not overlap. */
export type Pipeline = (bytes: Uint8Array) => Promise<EmbedResult>;

/**
 * Composes the stages decode -> preprocess -> engine -> normalise in this process.
 * @throws EmbedError `CONFIG_INVALID` if the preprocessing gives another shape than the model takes
 */
export function createPipeline(stages: PipelineStages): Pipeline {
  const { session, now } = stages;
  checkInput(session, stages.preprocess);
  const embedPictures = createEmbedPictures(createPrepareImage(stages), session, now);
  return async (bytes) => (await embedPictures([bytes]))[0] as EmbedResult;
}

/** @throws EmbedError `CONFIG_INVALID` unless the model takes what this preprocessing gives */
export function checkInput({ inputShape }: EngineSession, { height, width }: PreprocessSpec): void {
  if (inputShape[0] === height && inputShape[1] === width && inputShape[2] === 3) return;
  throw new EmbedError(
    "CONFIG_INVALID",
    `expected a model with input (${height}, ${width}, 3) as the manifest's preprocess says, got (${inputShape.join(", ")})`,
  );
}
