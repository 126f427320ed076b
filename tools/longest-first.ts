import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * Spec files that take longest, in their order: begun last, one of them would leave a processor idle until it ends. What vitest
 * remembers of earlier runs is not there on a fresh machine.
 */
export const longest: readonly string[] = [
  "src/web/vectors-in-chromium.spec.ts",
  "src/node/pool/worker-faults.spec.ts",
  "src/node/pool/ort-webgpu.spec.ts",
  "src/node/pool/worker-gangs.spec.ts",
  "src/node/pool/worker-pool.spec.ts",
  "src/cli/embed.spec.ts",
  "src/node/pool/ort-native.spec.ts",
  "tools/docs/custom-operator.spec.ts",
  "src/cli/import.spec.ts",
  "src/cli/serve.spec.ts",
  "tools/networks/networks.spec.ts",
  "tools/page/three-ways.spec.ts",
];

function placeOf({ moduleId }: Pick<TestSpecification, "moduleId">): number {
  const place = longest.findIndex((path) => moduleId.endsWith(`/${path}`));
  return place < 0 ? longest.length : place;
}

/** The files that take longest come first; the others keep their order. */
export const putLongestFirst = <File extends Pick<TestSpecification, "moduleId">>(
  files: readonly File[],
): File[] => files.toSorted((one, other) => placeOf(one) - placeOf(other));

/** Vitest's own order, after the files that take longest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return putLongestFirst(await super.sort(files));
  }
}
