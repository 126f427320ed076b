import type { TensorSlot } from "../tensor-slot.ts";
import type { StepFacts, StepPlace } from "./step.ts";

/**
 * Runs of floats from one tensor into another: the channels of one part of a concatenation, a picture within a border, or
 * pixels without the gaps between them.
 */
export interface CopyStep extends StepFacts {
  readonly kind: "copy";
  readonly input: TensorSlot;
  /** Whether `output` is zero before it: the first of several, or one that does not fill it. */
  readonly clears: boolean;
  /** Rows of runs: how many, and bytes from one to the next. */
  readonly rows: number;
  readonly outRow: number;
  readonly inRow: number;
  /** Runs of a row. */
  readonly runs: number;
  readonly outRun: number;
  readonly inRun: number;
  /** Floats of a run. */
  readonly count: number;
  /** Bytes from the start of `output`. */
  readonly outFirst: number;
}

/** Cheap, so that the first part does all of it. */
export function runCopy(step: CopyStep, { kernels, arena, part }: StepPlace): void {
  if (part !== 0) return;
  const { input, output } = step;
  const out = arena + output.offset;
  if (step.clears) kernels.fill(out, 0, output.height * output.width * output.stride);
  for (let row = 0; row < step.rows; row++) {
    const to = out + step.outFirst + row * step.outRow;
    kernels.copyRuns(
      to,
      step.outRun,
      arena + input.offset + row * step.inRow,
      step.inRun,
      step.runs,
      step.count,
    );
  }
}
