import { groupRows, shareOf } from "../row-groups.ts";
import { quadsOf, type TensorSlot } from "../tensor-slot.ts";
import type { Clamp, StepFacts, StepPlace } from "./step.ts";

/** A 3x3 convolution with stride 1 by the minimal filtering of Winograd; kernels/winograd4.ts has the source. */
export interface WinogradStep extends StepFacts, Clamp {
  readonly kind: "winograd";
  /** Outputs of a tile are tile x tile, inputs two more. */
  readonly tile: 2 | 4;
  readonly input: TensorSlot;
  readonly residual?: TensorSlot;
  /** Addresses among the weights. */
  readonly window: number;
  readonly bias: number;
  readonly filters: number;
  /** Bytes from one of the (tile + 2)^2 planes of filters to the next: panels [channels][8]. */
  readonly filterPlane: number;
  /** Zeros, with which sums begin. */
  readonly zeros: number;
}

export const planesOf = (tile: 2 | 4) => (tile + 2) ** 2;

/** Planes that lie a power of two apart would fall onto the same lines of a cache. */
const planeGapBytes = 64;
const transformScratchBytes = 640;
/** Rows of tiles that go through all planes together: the products of each plane then stay in the level 2 cache. */
const rowsAtATime = 30;

export const tilesOf = ({ height, width }: TensorSlot, tile: number) =>
  Math.ceil(height / tile) * Math.ceil(width / tile);

const inputPlane = (input: TensorSlot, rows: number) => rows * input.stride * 4 + planeGapBytes;
const sumPlane = (output: TensorSlot, rows: number) => rows * output.stride * 4 + planeGapBytes;

/** Groups of five and six may hold up to five rows more than there are tiles. */
const mostRows = rowsAtATime + 5;

export const winogradScratchBytes = (tile: 2 | 4, input: TensorSlot, output: TensorSlot) =>
  transformScratchBytes + planesOf(tile) * (inputPlane(input, mostRows) + sumPlane(output, mostRows));

/**
 * Parts take tiles where there are many, and columns where there are few: the weights would else have to come from memory
 * for each part.
 */
export function runWinograd(step: WinogradStep, place: StepPlace): void {
  const { part, parts } = place;
  const tiles = tilesOf(step.output, step.tile);
  const panels = step.output.stride / 8;
  if (tiles <= rowsAtATime) {
    const [from, to] = shareOf(panels, part, parts);
    if (to > from) runTiles(step, place, [0, tiles], [from, to]);
    return;
  }
  const chunks = parts * Math.ceil(tiles / (parts * rowsAtATime));
  const [from, to] = shareOf(chunks, part, parts);
  for (let chunk = from; chunk < to; chunk++) {
    const [first, end] = shareOf(tiles, chunk, chunks);
    if (end > first) runTiles(step, place, [first, end], [0, panels]);
  }
}

type Range = readonly [from: number, to: number];

function runTiles(step: WinogradStep, place: StepPlace, [first, end]: Range, panels: Range): void {
  const { kernels, weights, arena, scratch } = place;
  const { input, output, tile } = step;
  const tiles = end - first;
  const groups = groupRows(tiles, place.groupSize);
  const rows = groups.sixes * 6 + groups.fives * 5;
  const planes = planesOf(tile);
  const inputs = scratch + transformScratchBytes;
  const inputStride = inputPlane(input, rows);
  const sums = inputs + planes * inputStride;
  const sumStride = sumPlane(output, rows);
  const rowStride = output.stride * 4;
  const transformInput = tile === 4 ? kernels.transformInput4 : kernels.transformInput2;
  const transformOutput = tile === 4 ? kernels.transformOutput4 : kernels.transformOutput2;
  const quads = quadsOf(input);
  const count = panels[1] - panels[0];
  /** Bytes of the columns before these, in each row. */
  const skip = panels[0] * 32;

  for (let group = 0, row = 0; group < groups.sixes + groups.fives; group++) {
    const rowsOfGroup = group < groups.sixes ? 6 : 5;
    transformInput(
      inputs + row * quads * 16,
      inputStride,
      arena + input.offset,
      weights + step.window,
      rowsOfGroup,
      first + row,
      quads,
      scratch,
    );
    row += rowsOfGroup;
  }
  for (let plane = 0; plane < planes; plane++) {
    kernels.multiplyBlock(
      inputs + plane * inputStride,
      groups.sixes,
      groups.fives,
      quads,
      weights + step.filters + plane * step.filterPlane + panels[0] * input.stride * 32,
      count,
      input.stride * 32,
      sums + plane * sumStride + skip,
      rowStride,
      weights + step.zeros,
      0,
      0,
      0,
      false,
    );
  }
  transformOutput(
    sums + skip,
    sumStride,
    rowStride,
    tiles,
    first,
    weights + step.window,
    count * 2,
    arena + output.offset + skip,
    rowStride,
    weights + step.bias + skip,
    step.residual ? arena + step.residual.offset + skip : 0,
    step.low,
    step.high,
    scratch,
  );
}
