/** Abilities that a host (Node, a browser, a worker) hands to the core. The core never asks where it runs. */

export interface FetchOptions {
  readonly signal?: AbortSignal;
}

/**
 * Fetches an encoded picture from a URL given by a caller, guarded against hostile addresses.
 * @throws EmbedError `SOURCE_INVALID`, `SOURCE_FORBIDDEN`, `SOURCE_UNREACHABLE`, `SOURCE_TOO_LARGE`, `CANCELLED` or `DEADLINE_EXCEEDED`
 */
export type FetchBytes = (url: string, options?: FetchOptions) => Promise<Uint8Array>;

/** Milliseconds from a clock that never goes back. */
export type Now = () => number;
