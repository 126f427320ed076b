import type { Embedder } from "../../embed/embedder.ts";
import type { EmbedError } from "../../errors.ts";
import type { ModelState, ServedEmbedder } from "../../service/served-model.ts";

/** What holds a model in memory: a pool of workers. */
export interface LoadedModel extends ServedEmbedder, Pick<Embedder, "ready" | "dispose"> {
  /** What it takes, in bytes. */
  memoryBytes(): number;
}

export interface ModelToLoad<Loaded extends LoadedModel> {
  readonly name: string;
  /** Brings its file; costs next to nothing once that is there. What it takes counts for no bound of memory. */
  readonly prepare: () => Promise<unknown>;
  /** Opens its workers. */
  readonly open: () => Loaded;
  /** What it will take at most, as far as that is known before it was loaded once, in bytes. */
  readonly expectedBytes: () => number;
  /** What it will take at least. */
  readonly leastBytes: () => number;
}

/** One model of a server, in memory or not, and who wants it. */
export interface ModelSlot<Loaded extends LoadedModel> {
  readonly model: ModelToLoad<Loaded>;
  state: ModelState;
  loaded?: Loaded | undefined;
  /** While it is being loaded. */
  loading?: Promise<void> | undefined;
  /** While its workers end. */
  ending?: Promise<void> | undefined;
  /** Calls that wait for it or work with it. */
  holders: number;
  /** Number of the use that ended last. */
  lastUse: number;
  failure?: { readonly error: EmbedError; readonly until: number } | undefined;
  /** What it took when it was last in memory. */
  knownBytes?: number;
}
