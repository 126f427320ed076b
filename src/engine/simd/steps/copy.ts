import { shareOf } from "../row-groups.ts";
import type { TensorSlot } from "../tensor-slot.ts";
import type { StepFacts, StepPlace } from "./step.ts";

/**
 * Runs of floats from one tensor into another: the channels of one part of a concatenation, a picture within a border or
 * without its own, or pixels without the gaps between them.
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
  /** Bytes from the start of `input`. */
  readonly inFirst: number;
}

/** Parts take runs, or rows of them where there are several; all of a copy that clears first is done by the first part. */
export function runCopy(step: CopyStep, { kernels, arena, part, parts }: StepPlace): void {
  if (step.clears && part !== 0) return;
  const { input, output } = step;
  const out = arena + output.offset;
  if (step.clears) kernels.fill(out, 0, output.height * output.width * output.stride);
  const shares = step.clears ? 1 : parts;
  const [fromRow, toRow] = step.rows > 1 ? shareOf(step.rows, part, shares) : [0, 1];
  const [fromRun, toRun] = step.rows > 1 ? [0, step.runs] : shareOf(step.runs, part, shares);
  for (let row = fromRow; row < toRow; row++) {
    kernels.copyRuns(
      out + step.outFirst + row * step.outRow + fromRun * step.outRun,
      step.outRun,
      arena + input.offset + step.inFirst + row * step.inRow + fromRun * step.inRun,
      step.inRun,
      toRun - fromRun,
      step.count,
    );
  }
}
