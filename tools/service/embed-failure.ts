import { EmbedError } from "../../src/errors.ts";

/** Reason and message of what a call rejects with; throws if the call succeeds, or rejects with anything but an EmbedError. */
export async function embedFailureOf(
  call: Promise<unknown>,
): Promise<readonly [reason: string, message: string]> {
  const error = await call.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof EmbedError)) throw new Error(`expected an EmbedError, got ${String(error)}`);
  return [error.reason, error.message];
}
