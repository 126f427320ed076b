import { Code, ConnectError } from "@connectrpc/connect";
import { compareVectors } from "../src/embed/compare-vectors.ts";
import type { SelfCheck } from "../src/embed/self-check.ts";

/**
 * What a call with one photograph, once or several times, came to: "right", "wrong", or the code and the text of its failure
 * with its cause.
 * @param count of its vectors, if that is to be checked
 */
export async function executeOutcome(
  call: Promise<{ readonly vectors?: readonly { readonly element: number[] }[] }>,
  photo: SelfCheck,
  count?: number,
): Promise<string> {
  try {
    const { vectors = [] } = await call;
    const isRight = vectors.every(
      ({ element }) =>
        compareVectors(Float32Array.from(element), photo.vector).maxAbsError <= photo.tolerance,
    );
    return isRight && (count ?? vectors.length) === vectors.length ? "right" : "wrong";
  } catch (error) {
    const { code, message, cause } = ConnectError.from(error);
    return `${Code[code]} ${message} ${cause ?? ""}`;
  }
}
