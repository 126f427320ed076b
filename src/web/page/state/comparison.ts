import { vectorsOf } from "./compare-ways.ts";
import type { PageState, Picture } from "./page-state.ts";
import { type WayName, wayNames } from "./way-names.ts";

/** The pictures that are compared with each other, with their vectors of one way. */
export interface Comparison {
  readonly way: WayName;
  readonly pictures: readonly Picture[];
  /** Of each picture, in the same order; all of one vector space. */
  readonly vectors: readonly Float32Array[];
  readonly vectorSpace: string;
  /** Pictures whose vector of this way is of another space. */
  readonly leftOut: number;
}

/** The ways that have a vector of any picture, in the order of the ways. */
export function waysWithVectors(pictures: readonly Picture[]): readonly WayName[] {
  return wayNames.filter((way) => pictures.some(({ outcomes }) => outcomes[way]?.kind === "done"));
}

/** The chosen way where it has vectors, else the first that has any; undefined where none has. */
export function chosenWay({ pictures, comparedWay }: PageState): WayName | undefined {
  const ways = waysWithVectors(pictures);
  return comparedWay !== undefined && ways.includes(comparedWay) ? comparedWay : ways[0];
}

/** Only vectors of one space are comparable: a server that was changed meanwhile gives others, which are left out. */
export function comparisonOf(state: PageState): Comparison | undefined {
  const way = chosenWay(state);
  if (way === undefined) return undefined;
  const found = state.pictures.flatMap((picture) => {
    const outcome = picture.outcomes[way];
    return outcome?.kind === "done" ? [{ picture, outcome }] : [];
  });
  const vectorSpace = found.at(-1)?.outcome.vectorSpace ?? "";
  const alike = found.filter(({ outcome }) => outcome.vectorSpace === vectorSpace);
  return {
    way,
    pictures: alike.map(({ picture }) => picture),
    vectors: alike.map(({ outcome }) => outcome.vector),
    vectorSpace,
    leftOut: found.length - alike.length,
  };
}

/** The vector that is plotted and copied: of the chosen way, else of the first way that has one. */
export function shownVector(picture: Picture, way: WayName | undefined) {
  const vectors = vectorsOf(picture);
  return vectors.find(([name]) => name === way) ?? vectors[0];
}
