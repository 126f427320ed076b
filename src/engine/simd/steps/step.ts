import type { SimdKernels } from "../simd-kernels.ts";
import type { TensorSlot } from "../tensor-slot.ts";

/** Where a step runs, and which part of it. */
export interface StepPlace {
  readonly kernels: SimdKernels;
  /** Rows that the kernels multiply best at a time. */
  readonly groupSize: 5 | 6;
  /** Address of the packed weights; steps hold addresses from there on. */
  readonly weights: number;
  /** Address of the arena of the picture; slots hold offsets from there on. */
  readonly arena: number;
  /** Address of the scratch memory of whoever runs this part. */
  readonly scratch: number;
  /** Several may share a step: each does its part of `parts`. */
  readonly part: number;
  readonly parts: number;
}

/** What all steps hold: plain data, so that a plan can be sent to another thread. */
export interface StepFacts {
  /** The ONNX node that it computes, for messages. */
  readonly node: string;
  readonly output: TensorSlot;
}

/** Bounds of a result: a clamp that follows a node costs nothing in its own step. */
export interface Clamp {
  readonly low: number;
  readonly high: number;
}

export const noClamp: Clamp = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
