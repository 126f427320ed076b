import { EmbedError } from "../errors.ts";
import { showText } from "../node/show-text.ts";

/**
 * Prints one line that says what went wrong and how to mend it.
 * @returns the exit code: 2 for a wrong usage or setting, 1 for everything else
 */
export function reportError(error: unknown): number {
  const known = error instanceof EmbedError;
  const text = known
    ? describeError(error)
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

/**
 * An error in one line, for whoever runs the program: unlike a caller of a server, they may know what lies behind a
 * message that tells nothing.
 */
export function describeError({ reason, message, cause }: EmbedError): string {
  const isVague = reason === "INTERNAL" || reason === "ENGINE_FAILED";
  const why = isVague && cause !== undefined ? `: ${showText(String(cause), Number.POSITIVE_INFINITY)}` : "";
  // Workers and files alike end up here when a system lets a process open next to nothing.
  const mend = /\b(EMFILE|ENFILE)\b/.test(why || message)
    ? "; raise the limit of open files (ulimit -n)"
    : "";
  return `${message}${why}${mend}`;
}
