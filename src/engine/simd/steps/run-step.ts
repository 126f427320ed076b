import { type ConvolutionStep, runConvolution } from "./convolution.ts";
import { type CopyStep, runCopy } from "./copy.ts";
import { type DepthwiseStep, runDepthwise } from "./depthwise.ts";
import {
  type ActivationStep,
  type CombineStep,
  runActivation,
  runCombine,
  runScale,
  runSoftmax,
  type ScaleStep,
  type SoftmaxStep,
} from "./elementwise.ts";
import { type LayerNormStep, runLayerNorm } from "./layer-norm.ts";
import { type PoolStep, runPool } from "./pool.ts";
import type { StepPlace } from "./step.ts";
import { runWinograd, type WinogradStep } from "./winograd.ts";

export type Step =
  | ActivationStep
  | CombineStep
  | ConvolutionStep
  | CopyStep
  | DepthwiseStep
  | LayerNormStep
  | PoolStep
  | ScaleStep
  | SoftmaxStep
  | WinogradStep;

const runners: {
  readonly [Kind in Step["kind"]]: (step: Extract<Step, { kind: Kind }>, place: StepPlace) => void;
} = {
  activation: runActivation,
  combine: runCombine,
  convolution: runConvolution,
  copy: runCopy,
  depthwise: runDepthwise,
  layerNorm: runLayerNorm,
  pool: runPool,
  scale: runScale,
  softmax: runSoftmax,
  winograd: runWinograd,
};

/** Runs one part of a step; the next step may begin when all parts are done. */
export function runStep(step: Step, place: StepPlace): void {
  const run = runners[step.kind] as (step: Step, place: StepPlace) => void;
  run(step, place);
}
