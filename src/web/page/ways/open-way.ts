import type { StageTimings } from "../../../embed/embedder.ts";
import type { WayStatus } from "../state/page-state.ts";

/** What a way gives for one picture. */
export interface WayAnswer {
  readonly vector: Float32Array;
  readonly vectorSpace: string;
  /** What computed it. */
  readonly engine: string;
  readonly timings: StageTimings;
}

/** A way that takes pictures. */
export interface OpenWay {
  /** Pictures that are sent to it at once, at least 1. */
  readonly concurrency: number;
  /** @throws EmbedError (as a rejection) */
  embed(picture: Blob, signal: AbortSignal): Promise<WayAnswer>;
  close(): Promise<void>;
}

export interface OpenWayContext {
  /** Stops the opening, and whatever goes on for the way afterwards. */
  readonly signal: AbortSignal;
  readonly onStatus: (status: WayStatus) => void;
  /** The model works, but could not be kept. */
  readonly onNotKept: (why: string) => void;
  /** What computed was lost, and another takes its place. */
  readonly onReplaced: (why: string) => void;
}

/**
 * Opens a way. The last status that it tells is `ready`.
 * @throws EmbedError (as a rejection)
 */
export type OpenWayFunction = (context: OpenWayContext) => Promise<OpenWay>;
