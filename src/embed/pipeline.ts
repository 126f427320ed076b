import type { EngineSession } from "../engine/engine.ts";
import { EmbedError } from "../errors.ts";
import type { DecodeImage } from "../image/pixels.ts";
import { preprocess } from "../preprocess/preprocess.ts";
import type { PreprocessSpec } from "../preprocess/preprocess-spec.ts";
import type { EmbedResult } from "./embedder.ts";
import type { Now } from "./host.ts";
import { normaliseL2 } from "./normalise.ts";

export interface PipelineStages {
  readonly decode: DecodeImage;
  readonly preprocess: PreprocessSpec;
  readonly session: EngineSession;
  readonly now: Now;
}

/** One image from encoded bytes to its embedding; never rejects. Calls must not overlap. */
export type Pipeline = (bytes: Uint8Array) => Promise<EmbedResult>;

/**
 * Composes the stages decode -> preprocess -> engine -> normalise in this process.
 * @throws EmbedError `CONFIG_INVALID` if the preprocessing gives another shape than the model takes
 */
export function createPipeline(stages: PipelineStages): Pipeline {
  const { decode, session, now } = stages;
  const [height, width, channels] = session.inputShape;
  if (height !== stages.preprocess.height || width !== stages.preprocess.width || channels !== 3) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected a model with input (${stages.preprocess.height}, ${stages.preprocess.width}, 3) as the manifest's preprocess says, got (${session.inputShape.join(", ")})`,
    );
  }

  return async (bytes) => {
    try {
      const start = now();
      const { header, pixels } = await decode(bytes);
      const decoded = now();
      const tensor = preprocess(pixels, stages.preprocess);
      // A large picture's memory goes back before the engine runs; the next garbage collection may be far.
      if (pixels.data.buffer instanceof ArrayBuffer) pixels.data.buffer.transfer(0);
      const preprocessed = now();
      const vector = normaliseL2(await session.run(tensor, 1));
      return {
        ok: true,
        vector,
        format: header.format,
        width: header.width,
        height: header.height,
        timings: {
          decodeMs: decoded - start,
          preprocessMs: preprocessed - decoded,
          inferMs: now() - preprocessed,
        },
      };
    } catch (error) {
      return { ok: false, error: EmbedError.from(error) };
    }
  };
}
