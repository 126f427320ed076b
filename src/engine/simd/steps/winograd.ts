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

export function runWinograd(step: WinogradStep, place: StepPlace): void {
  const tiles = tilesOf(step.output, step.tile);
  const chunks = Math.max(place.parts, Math.ceil(tiles / rowsAtATime));
  const [from, to] = shareOf(chunks, place.part, place.parts);
  for (let chunk = from; chunk < to; chunk++) {
    const [first, end] = shareOf(tiles, chunk, chunks);
    if (end > first) runTiles(step, place, first, end - first);
  }
}

function runTiles(step: WinogradStep, place: StepPlace, first: number, tiles: number): void {
  const { kernels, weights, arena, scratch } = place;
  const { input, output, tile } = step;
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

  for (let group = 0, row = 0; group < groups.sixes + groups.fives; group++) {
    const count = group < groups.sixes ? 6 : 5;
    const to = inputs + row * quads * 16;
    transformInput(
      to,
      inputStride,
      arena + input.offset,
      weights + step.window,
      count,
      first + row,
      quads,
      scratch,
    );
    row += count;
  }
  for (let plane = 0; plane < planes; plane++) {
    kernels.multiplyBlock(
      inputs + plane * inputStride,
      groups.sixes,
      groups.fives,
      quads,
      weights + step.filters + plane * step.filterPlane,
      output.stride / 8,
      input.stride * 32,
      sums + plane * sumStride,
      rowStride,
      weights + step.zeros,
      0,
      0,
      0,
      false,
    );
  }
  transformOutput(
    sums,
    sumStride,
    rowStride,
    tiles,
    first,
    weights + step.window,
    quadsOf(output),
    arena + output.offset,
    rowStride,
    weights + step.bias,
    step.residual ? arena + step.residual.offset : 0,
    step.low,
    step.high,
    scratch,
  );
}
