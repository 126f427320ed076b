import { useLayoutEffect, useState } from "preact/hooks";
import { vectorJson } from "../words/pictures-json.ts";

/** How long a button says that it has copied. */
const copiedShownMs = 2000;

export interface VectorActionsProps {
  /** Of the picture. */
  readonly name: string;
  readonly vector: Float32Array;
  readonly onSave: () => void;
}

/** What became of a copy, in words. */
interface Copy {
  readonly isDone: boolean;
  readonly words: string;
}

/** Takes a vector out of the page. What became of a copy is said here: the top of the page may be far away. */
export function VectorActions({ name, vector, onSave }: VectorActionsProps) {
  const [copy, setCopy] = useState<Copy>();
  useLayoutEffect(() => {
    if (!copy?.isDone) return;
    const timer = setTimeout(() => setCopy(undefined), copiedShownMs);
    return () => clearTimeout(timer);
  }, [copy]);
  function copyVector(): void {
    // Pages without a secure context have no clipboard.
    const copied = navigator.clipboard
      ? navigator.clipboard.writeText(vectorJson(vector))
      : Promise.reject(new Error("this browser lets only pages over https or from localhost copy"));
    copied.then(
      () => setCopy({ isDone: true, words: `The vector of ${name} is copied: ${vector.length} numbers.` }),
      (cause: unknown) =>
        setCopy({ isDone: false, words: `The vector of ${name} cannot be copied: ${String(cause)}` }),
    );
  }
  return (
    <>
      <button type="button" class="copy" onClick={copyVector}>
        {copy?.isDone ? "Copied" : "Copy vector"}
        <span class="unseen"> of {name}</span>
      </button>
      <button type="button" onClick={onSave}>
        Download JSON<span class="unseen"> of {name}</span>
      </button>
      <p role="status" class={copy?.isDone === false ? "status" : "unseen"}>
        {copy?.words}
      </p>
    </>
  );
}
