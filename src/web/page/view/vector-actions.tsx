import { vectorJson } from "../words/pictures-json.ts";

export interface VectorActionsProps {
  /** Of the picture. */
  readonly name: string;
  readonly vector: Float32Array;
  readonly onSave: () => void;
  readonly onNotice: (text: string) => void;
}

/** Takes a vector out of the page. */
export function VectorActions({ name, vector, onSave, onNotice }: VectorActionsProps) {
  function copy(): void {
    // Pages without a secure context have no clipboard.
    const copied = navigator.clipboard
      ? navigator.clipboard.writeText(vectorJson(vector))
      : Promise.reject(new Error("this browser lets only pages over https or from localhost copy"));
    copied.then(
      () => onNotice(`The vector of ${name} is copied: ${vector.length} numbers.`),
      (cause: unknown) => onNotice(`The vector of ${name} cannot be copied: ${String(cause)}`),
    );
  }
  return (
    <>
      <button type="button" onClick={copy}>
        Copy vector<span class="unseen"> of {name}</span>
      </button>
      <button type="button" onClick={onSave}>
        Download JSON<span class="unseen"> of {name}</span>
      </button>
    </>
  );
}
