import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { VectorReference } from "../../embed/self-check.ts";
import { importedGoldenFolder } from "../model/vector-golden.ts";

/**
 * Largest absolute error of an element of an imported model's vector, whose norm is 1: what is allowed of our converted
 * networks against real Keras. The sums of unlike engines differ by 1e-7 to 1e-6.
 */
export const importedTolerance = 1e-5;

/** The vector that a photograph must give from now on. */
export interface ImportedGolden {
  /** Path below fixtures/images. */
  readonly image: string;
  /** (dimension) float32, L2 norm 1. */
  readonly vector: Float32Array;
}

/** Writes goldens beside a model's manifest, in the form of fixtures/golden/embedding. */
export async function writeImportedGoldens(
  folder: string,
  goldens: readonly ImportedGolden[],
  reference: VectorReference,
  madeBy: string,
): Promise<void> {
  for (const { image, vector } of goldens) {
    const file = join(folder, importedGoldenFolder, `${image}.json`);
    await mkdir(dirname(file), { recursive: true });
    const golden = {
      golden: "portico-embedding/1",
      image,
      reference,
      madeBy,
      tolerance: importedTolerance,
      vector: base64FromFloat32(vector),
    };
    await writeFile(file, `${JSON.stringify(golden, undefined, 2)}\n`);
  }
}

/** Little-endian, whatever the order of this machine. */
function base64FromFloat32(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString("base64");
}
