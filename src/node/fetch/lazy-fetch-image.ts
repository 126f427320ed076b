import type { FetchBytes } from "../../embed/host.ts";
import type { FetchImageOptions } from "./fetch-image.ts";
import { type FetchPolicy, toFetchRules } from "./fetch-policy.ts";

export interface LazyFetchImage {
  readonly fetchBytes: FetchBytes;
  /** Loads what the first URL would otherwise wait for. */
  readonly load: () => Promise<unknown>;
}

/**
 * As `createFetchImage`, which is loaded when it is needed first: its HTTP client is 1.3 MB of modules, which cost a start
 * 0.1 s of processor time.
 * @throws EmbedError `CONFIG_INVALID`, at once, as `createFetchImage`
 */
export function lazyFetchImage(policy: FetchPolicy, options: FetchImageOptions): LazyFetchImage {
  toFetchRules(policy);
  let loaded: Promise<FetchBytes> | undefined;
  const load = () => {
    loaded ??= import("./fetch-image.ts").then(
      ({ createFetchImage }) => createFetchImage(policy, options),
      (error: unknown) => {
        // A process that may open no more files for the moment may do so later.
        loaded = undefined;
        throw error;
      },
    );
    return loaded;
  };
  return { fetchBytes: async (...args) => (await load())(...args), load };
}
