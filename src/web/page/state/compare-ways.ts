import { compareVectors } from "../../../embed/compare-vectors.ts";
import type { VariantName } from "../../../embed/model-manifest.ts";
import { type EngineName, engineNames } from "../../../engine/engine.ts";
import { engineTolerance } from "../../../engine/engine-tolerances.ts";
import { formOfSpace } from "./model-forms.ts";
import type { ModelSummary, Outcome, Picture } from "./page-state.ts";
import { type WayName, wayNames } from "./way-names.ts";

/** How far the vectors of one picture on two ways lie apart. */
export type WayDifference = { readonly first: WayName; readonly second: WayName } & Distance;

export type Distance =
  /** Of one vector space: they should be the same. */
  | {
      readonly kind: "measured";
      readonly maxAbsError: number;
      readonly cosine: number;
      /** What both may be away from exact arithmetic, together. */
      readonly tolerance: number;
      readonly isWithin: boolean;
    }
  /** Of one vector space whose model is rounded while it computes: engines round apart, and no tolerance is promised. */
  | {
      readonly kind: "rounded";
      readonly variant: VariantName;
      readonly maxAbsError: number;
      readonly cosine: number;
    }
  /** Of different forms of one model: another vector space, whose elements are not to be held against each other. */
  | {
      readonly kind: "other-form";
      readonly firstVariant: VariantName;
      readonly secondVariant: VariantName;
      readonly cosine: number;
    }
  /** Of different models: nothing can be said. */
  | { readonly kind: "other-model" };

type Done = Extract<Outcome, { kind: "done" }>;

/** What the ways have for a picture, in the order of the ways. */
export function vectorsOf(picture: Picture): readonly (readonly [way: WayName, done: Done])[] {
  return wayNames.flatMap((way) => {
    const outcome = picture.outcomes[way];
    return outcome?.kind === "done" ? [[way, outcome] as const] : [];
  });
}

/** In the order in which they are told. */
const kinds: readonly Distance["kind"][] = ["measured", "rounded", "other-form", "other-model"];

/** Each way with each other: first those of one vector space, of them those that lie furthest apart. */
export function compareWays(picture: Picture, model: ModelSummary): WayDifference[] {
  const vectors = vectorsOf(picture);
  return vectors
    .flatMap(([first, a], index) =>
      vectors.slice(index + 1).map(([second, b]) => ({ first, second, ...distanceOf(a, b, model) })),
    )
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || errorOf(b) - errorOf(a));
}

/** A broken vector's is the largest of all. */
function errorOf(distance: Distance): number {
  const error = "maxAbsError" in distance ? distance.maxAbsError : 0;
  return Number.isNaN(error) ? Number.MAX_VALUE : error;
}

function distanceOf(a: Done, b: Done, model: ModelSummary): Distance {
  const formA = formOfSpace(model, a.vectorSpace);
  if (a.vectorSpace !== b.vectorSpace) {
    const formB = formOfSpace(model, b.vectorSpace);
    if (!formA || !formB) return { kind: "other-model" };
    const { cosine } = compareVectors(a.vector, b.vector);
    return { kind: "other-form", firstVariant: formA.variant, secondVariant: formB.variant, cosine };
  }
  const { maxAbsError, cosine } = compareVectors(a.vector, b.vector);
  if (formA?.accuracy && formA.accuracy.maxAbsError === undefined) {
    return { kind: "rounded", variant: formA.variant, maxAbsError, cosine };
  }
  // Each lies within its own tolerance of exact arithmetic, so they may lie on either side of it.
  const tolerance = toleranceOf(a.engine, model.tolerance) + toleranceOf(b.engine, model.tolerance);
  return { kind: "measured", maxAbsError, cosine, tolerance, isWithin: maxAbsError <= tolerance };
}

/** A server may name an engine that this page has never heard of: the model's own tolerance holds. */
function toleranceOf(engine: string, ofModel: number): number {
  return isEngineName(engine) ? engineTolerance(engine, ofModel) : ofModel;
}

const isEngineName = (name: string): name is EngineName => (engineNames as readonly string[]).includes(name);
