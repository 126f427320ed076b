import { EmbedError } from "../errors.ts";

/**
 * Waits for `promise`, but no longer than the caller does.
 * @throws EmbedError `DEADLINE_EXCEEDED` or `CANCELLED` once `signal` is aborted; whatever `promise` rejects with
 */
export async function settleBefore<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  if (signal.aborted) {
    // Nobody will look at it any more, and a rejection that nobody looks at ends the process.
    promise.catch(() => undefined);
    throw abortError(signal);
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(abortError(signal));
    signal.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener("abort", onAbort);
  }
}

/** Why `signal` was aborted, as an `EmbedError`: a passed deadline, or a caller that has gone. */
export function abortError(signal: AbortSignal): EmbedError {
  const cause: unknown = signal.reason;
  if (cause instanceof EmbedError) return cause;
  return isTimeout(cause)
    ? new EmbedError("DEADLINE_EXCEEDED", "the caller's deadline passed before the work was done", { cause })
    : new EmbedError("CANCELLED", "the caller went away before the work was done", { cause });
}

/** AbortSignal.timeout gives a DOMException of this name; Connect's own errors carry code 4. */
function isTimeout(reason: unknown): boolean {
  if (typeof reason !== "object" || reason === null) return false;
  return ("name" in reason && reason.name === "TimeoutError") || ("code" in reason && reason.code === 4);
}
