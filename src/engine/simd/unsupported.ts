import { EmbedError } from "../../errors.ts";

/** The model holds what this engine lacks; another one may have it. */
export function unsupported(message: string): EmbedError {
  return new EmbedError("ENGINE_UNSUPPORTED", `simd: ${message}`);
}
