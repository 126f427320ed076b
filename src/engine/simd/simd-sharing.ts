import type { GangLimits } from "./gang.ts";
import type { PackedModel } from "./packed-model.ts";

/** How several threads come to one copy of the weights. */
export interface SimdSharing {
  /** Number of this thread among those that live. */
  readonly seat: number;
  /** What another thread has packed; the model's bytes are then not looked at. */
  readonly packed?: PackedModel | undefined;
  /** Told of what this thread has packed. */
  readonly onPacked?: (packed: PackedModel) => void;
  /** Set where other threads may help with a picture, and this one with theirs. */
  readonly gang?: Gang;
}

/** How the threads of a host come together. */
export interface Gang {
  /** Made by `createGangStates`, shared by all. */
  readonly states: SharedArrayBuffer;
  /**
   * Called as a picture begins, for the host to send helpers.
   * @returns how many are on their way already; undefined if nobody is to help
   */
  readonly begin: () => number | undefined;
  readonly now: () => number;
  readonly limits?: GangLimits;
}
