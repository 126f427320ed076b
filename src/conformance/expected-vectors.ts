import type { FixtureFiles } from "./fixture-files.ts";

/** The model whose vectors lie in fixtures/golden/embedding. */
export const goldenModel = "resnet50";

/** What the vector of a picture of fixtures/images/ must be. */
export interface ExpectedVectors {
  /** Whether they are those of real Keras. */
  readonly areGoldens: boolean;
  /** Undefined if nothing is known of the picture yet. */
  vectorOf(path: string): ArrayLike<number> | undefined;
  /** Tells of a vector that passed every check. */
  learn(path: string, vector: readonly number[]): void;
}

/**
 * For an operator with the goldens' model, the goldens. For any other, the first vector that it gave for the
 * picture itself: that still shows a batch in the wrong order.
 */
export function createExpectedVectors(files: FixtureFiles, model: string): ExpectedVectors {
  if (model === goldenModel) {
    return { areGoldens: true, vectorOf: (path) => files.vector(path), learn: () => undefined };
  }
  const seen = new Map<string, readonly number[]>();
  return {
    areGoldens: false,
    vectorOf: (path) => seen.get(path),
    learn: (path, vector) => {
      if (!seen.has(path)) seen.set(path, vector);
    },
  };
}
