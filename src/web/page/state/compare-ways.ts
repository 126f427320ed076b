import { compareVectors } from "../../../embed/compare-vectors.ts";
import { type EngineName, engineNames } from "../../../engine/engine.ts";
import { engineTolerance } from "../../../engine/engine-tolerances.ts";
import type { Outcome, Picture } from "./page-state.ts";
import { type WayName, wayNames } from "./way-names.ts";

/** How far the vectors of one picture on two ways lie apart. */
export interface WayDifference {
  readonly first: WayName;
  readonly second: WayName;
  /** False for vectors of different spaces, whose difference says nothing; the numbers are then NaN. */
  readonly isComparable: boolean;
  readonly maxAbsError: number;
  readonly cosine: number;
  /** What both may be away from Keras, together. */
  readonly tolerance: number;
  readonly isWithin: boolean;
}

type Done = Extract<Outcome, { kind: "done" }>;

/** What the ways have for a picture, in the order of the ways. */
export function vectorsOf(picture: Picture): readonly (readonly [way: WayName, done: Done])[] {
  return wayNames.flatMap((way) => {
    const outcome = picture.outcomes[way];
    return outcome?.kind === "done" ? [[way, outcome] as const] : [];
  });
}

/**
 * Each way with each other, those that lie furthest apart first; those that cannot be compared last.
 * @param tolerance of the model, for engines that have none of their own
 */
export function compareWays(picture: Picture, tolerance: number): WayDifference[] {
  const vectors = vectorsOf(picture);
  return vectors
    .flatMap(([first, a], index) =>
      vectors.slice(index + 1).map(([second, b]) => compareTwo(first, a, second, b, tolerance)),
    )
    .sort((a, b) => (b.isComparable ? b.maxAbsError : -1) - (a.isComparable ? a.maxAbsError : -1));
}

function compareTwo(first: WayName, a: Done, second: WayName, b: Done, ofModel: number): WayDifference {
  // Each lies within its own tolerance of Keras, so they may lie on either side of it.
  const tolerance = toleranceOf(a.engine, ofModel) + toleranceOf(b.engine, ofModel);
  if (a.vectorSpace !== b.vectorSpace) {
    const none = { maxAbsError: Number.NaN, cosine: Number.NaN };
    return { first, second, isComparable: false, ...none, tolerance, isWithin: false };
  }
  const { maxAbsError, cosine } = compareVectors(a.vector, b.vector);
  return {
    ...{ first, second, isComparable: true, maxAbsError, cosine, tolerance },
    isWithin: maxAbsError <= tolerance,
  };
}

/** A server may name an engine that this page has never heard of: the model's own tolerance holds. */
function toleranceOf(engine: string, ofModel: number): number {
  return isEngineName(engine) ? engineTolerance(engine, ofModel) : ofModel;
}

const isEngineName = (name: string): name is EngineName => (engineNames as readonly string[]).includes(name);
