import { deepStrictEqual } from "node:assert/strict";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { packageFile } from "../../src/node/package-file.ts";

const photo = "photo/locomotion-house-cat.jpg";
/** The photograph whose vector by Keras is known. */
export const photoFile = packageFile(`fixtures/images/${photo}`);
const golden = await readVectorGolden(photo);
export const manifest = await findModelManifest("resnet50");

/** What program.mjs and page.js have in common. */
export interface Report {
  readonly error?: string;
  readonly vector: readonly number[];
  readonly [name: string]: unknown;
}

/** Compares everything but the vector exactly, and that with Keras's. */
export function expectReport({ vector, ...rest }: Report, expected: object): void {
  deepStrictEqual(rest, {
    model: "resnet50",
    dimension: manifest.identity.dimension,
    vectorSpace: manifest.fingerprint,
    sameFromBlob: true,
    raw: { format: "raw", width: 3, height: 2, length: manifest.identity.dimension },
    ...expected,
  });
  const { maxAbsError } = compareVectors(Float32Array.from(vector), golden.vector);
  if (!(maxAbsError <= golden.tolerance)) throw new Error(`the vector is ${maxAbsError} away from Keras's`);
}

/** What ask-server.js saw over one protocol. */
interface ServerReport {
  readonly listed: string;
  readonly results: readonly (string | readonly number[])[];
  readonly [name: string]: unknown;
}

/** Of each protocol. */
export function expectServerReport(report: Readonly<Record<string, ServerReport>>): void {
  deepStrictEqual(Object.keys(report), ["connect", "grpc-web"]);
  for (const { results, ...rest } of Object.values(report)) {
    deepStrictEqual(rest, {
      listed: "resnet50",
      model: "resnet50",
      vectorSpace: manifest.fingerprint,
      aborted: "CANCELLED",
      noModel: "MODEL_UNKNOWN",
      elsewhere: "SERVER_UNREACHABLE",
    });
    const [first, bad, again] = results;
    deepStrictEqual([bad, again], ["IMAGE_UNSUPPORTED", first]);
    const { maxAbsError } = compareVectors(Float32Array.from(first as readonly number[]), golden.vector);
    if (!(maxAbsError <= golden.tolerance)) throw new Error(`the vector is ${maxAbsError} away from Keras's`);
  }
}
