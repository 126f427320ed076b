import { EmbedError } from "../errors.ts";

/**
 * Prints one line that says what went wrong and how to mend it.
 * @returns the exit code: 2 for a wrong usage or setting, 1 for everything else
 */
export function reportError(error: unknown): number {
  const known = error instanceof EmbedError;
  const text = known
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`portico: ${text}\n`);
  return known && (error.reason === "CONFIG_INVALID" || error.reason === "MODEL_UNKNOWN") ? 2 : 1;
}

/** Prints what did not succeed although the command ran to its end; the exit code becomes 1. */
export function reportShortfall(text: string): void {
  process.stderr.write(`portico: ${text}\n`);
  process.exitCode = 1;
}
