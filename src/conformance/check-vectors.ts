import type { ExecuteReply } from "../gen/omnisearch/operator_pb.ts";
import type { Tolerance, VectorsExpectation } from "../gen/portico/conformance/v1/suite_pb.ts";
import { areIdentical, l2Norm, measureDistance } from "./compare-vectors.ts";
import type { ExpectedVectors } from "./expected-vectors.ts";

/** What a reply is judged against besides the case itself. */
export interface VectorContext {
  readonly expected: ExpectedVectors;
  /** The dimension that Identity gives; undefined if it gives none. */
  readonly dimension: number | undefined;
  /** The target's own tolerance, in place of the case's. */
  readonly tolerance: Tolerance | undefined;
  /** Vectors of the case's first step. */
  readonly firstStep: readonly (readonly number[])[] | undefined;
  /** Vectors that the same case gave over another transport. */
  readonly otherTransport:
    | { readonly name: string; readonly vectors: readonly (readonly number[])[] }
    | undefined;
}

export interface VectorVerdict {
  /** Empty if all is well. */
  readonly problems: readonly string[];
  /** The largest difference from a golden; undefined if none was compared. */
  readonly maxAbs?: number;
}

/** A norm is a sum of some thousand float32 squares. */
const normTolerance = 1e-5;

/** Judges a successful Execute: counts, metadata, dimension, norm, goldens, identity with other replies. */
export function checkVectors(
  reply: ExecuteReply,
  expected: VectorsExpectation,
  context: VectorContext,
): VectorVerdict {
  const vectors = reply.vectors.map(({ element }) => element);
  const problems: string[] = [];
  if (vectors.length !== expected.count) {
    problems.push(`expected ${expected.count} vectors, got ${vectors.length}`);
  }
  if (reply.nums !== BigInt(expected.count))
    problems.push(`expected nums ${expected.count}, got ${reply.nums}`);
  if (reply.metadata.length > 0) problems.push(`expected no metadata, got ${reply.metadata.length} entries`);
  for (const [index, vector] of vectors.entries()) {
    const problem = shapeProblem(vector, context.dimension);
    if (problem) problems.push(`vector ${index}: ${problem}`);
  }
  if (expected.sameAsFirstStep && !areIdentical(vectors, context.firstStep ?? [])) {
    problems.push("the vectors differ from those of the first step");
  }
  if (expected.sameOverTransports && context.otherTransport) {
    const { name, vectors: others } = context.otherTransport;
    if (!areIdentical(vectors, others)) problems.push(`the vectors differ from those over ${name}`);
  }
  // Lengths must agree before elements can be compared.
  if (problems.length > 0 || expected.goldens.length === 0) return { problems };
  const verdict = checkElements(vectors, expected, context);
  if (verdict.problems.length === 0) {
    for (const [index, path] of expected.goldens.entries()) context.expected.learn(path, vectors[index]!);
  }
  return verdict;
}

function shapeProblem(vector: readonly number[], dimension: number | undefined): string | undefined {
  if (dimension === undefined) return "Identity gives no dimension to compare with";
  if (vector.length !== dimension)
    return `expected ${dimension} elements, as Identity says, got ${vector.length}`;
  const norm = l2Norm(vector);
  // Negated, so that NaN is a failure.
  return !(Math.abs(norm - 1) <= normTolerance) ? `expected L2 norm 1, got ${norm}` : undefined;
}

function checkElements(
  vectors: readonly (readonly number[])[],
  { goldens, tolerance }: VectorsExpectation,
  context: VectorContext,
): VectorVerdict {
  const { maxAbs: maxAbsLimit = 0, minCosine = 1 } = context.tolerance ?? tolerance ?? {};
  const { expected } = context;
  const isVectorOf = (vector: readonly number[], path: string): boolean => {
    const wanted = expected.vectorOf(path);
    return wanted?.length === vector.length && measureDistance(vector, wanted).maxAbs <= maxAbsLimit;
  };
  const problems: string[] = [];
  let largest = 0;
  for (const [index, path] of goldens.entries()) {
    const vector = vectors[index]!;
    const wanted = expected.vectorOf(path);
    if (wanted === undefined) continue;
    if (wanted.length !== vector.length) {
      problems.push(`vector ${index}: that of ${path} has ${wanted.length} elements, got ${vector.length}`);
      continue;
    }
    const { maxAbs, cosine } = measureDistance(vector, wanted);
    largest = Math.max(largest, maxAbs);
    if (maxAbs <= maxAbsLimit && cosine >= minCosine) continue;
    const other = goldens.find((candidate) => candidate !== path && isVectorOf(vector, candidate));
    const hint = other ? `; it is the vector of ${other}` : "";
    problems.push(
      `vector ${index}: expected that of ${path} within ${maxAbsLimit} and cosine ${minCosine}, got max abs ${maxAbs.toExponential(2)}, cosine ${cosine.toFixed(6)}${hint}`,
    );
  }
  return { problems, ...(expected.areGoldens && { maxAbs: largest }) };
}
