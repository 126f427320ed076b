import { firstRow, groupRows, type RowGroups, shareOf, sliceGroups } from "../row-groups.ts";
import { pixelsOf, type TensorSlot } from "../tensor-slot.ts";
import type { Clamp, StepFacts, StepPlace } from "./step.ts";

/**
 * A convolution as a product: rows are output pixels, columns are filters, the inner dimension is taps by channels, cut
 * into blocks whose weights and rows fit the caches.
 */
export interface ConvolutionStep extends StepFacts, Clamp {
  readonly kind: "convolution";
  readonly input: TensorSlot;
  readonly residual?: TensorSlot;
  /** Addresses among the weights. */
  readonly window: number;
  readonly bias: number;
  readonly blocks: readonly DepthBlock[];
  /** Panels of 8 filters. */
  readonly panels: number;
}

/** A part of the inner dimension: some taps with all their channels, or some channels of one tap. */
export interface DepthBlock {
  readonly taps: readonly [from: number, to: number];
  readonly channels: readonly [from: number, to: number];
  /** Address among the weights: panels [depth][8]. */
  readonly weights: number;
}

export const depthOf = ({ taps, channels }: Omit<DepthBlock, "weights">) =>
  (taps[1] - taps[0]) * (channels[1] - channels[0]);

/** Weights that are used again and again for all rows: a quarter of a level 2 cache of 1 MiB. */
const panelBlockBytes = 256 * 1024;
/** Rows that are packed at a time: with 512 steps of the inner dimension they fill most of a level 1 cache. */
const groupsAtATime = 2;
/** From this many groups on, parts take rows, below it columns. */
const fewGroups = 32;

export const convolutionScratchBytes = (blocks: readonly DepthBlock[]) =>
  Math.max(...blocks.map(depthOf)) * 4 * 6 * groupsAtATime;

export function runConvolution(step: ConvolutionStep, place: StepPlace): void {
  const groups = groupRows(pixelsOf(step.output), place.groupSize);
  const count = groups.sixes + groups.fives;
  const byRows = count >= fewGroups;
  const rows = byRows ? shareOf(count, place.part, place.parts) : ([0, count] as const);
  const panels = byRows ? ([0, step.panels] as const) : shareOf(step.panels, place.part, place.parts);
  for (const [index, block] of step.blocks.entries()) {
    const isFirst = index === 0,
      isLast = index === step.blocks.length - 1;
    const atATime = Math.max(1, Math.floor(panelBlockBytes / (depthOf(block) * 32)));
    for (let panel = panels[0]; panel < panels[1]; panel += atATime) {
      const until = Math.min(panels[1], panel + atATime);
      for (let group = rows[0]; group < rows[1]; group += groupsAtATime) {
        const slice = sliceGroups(groups, group, Math.min(rows[1], group + groupsAtATime));
        multiply(step, place, block, {
          slice,
          first: firstRow(groups, group),
          panel,
          until,
          isFirst,
          isLast,
        });
      }
    }
  }
}

interface Tile {
  readonly slice: RowGroups;
  /** Number of the first row. */
  readonly first: number;
  readonly panel: number;
  readonly until: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function multiply(step: ConvolutionStep, place: StepPlace, block: DepthBlock, tile: Tile): void {
  const { kernels, weights, arena, scratch } = place;
  const { slice, first, panel } = tile;
  const [tapFrom, tapTo] = block.taps;
  const [channelFrom, channelTo] = block.channels;
  const depth = depthOf(block);
  let to = scratch;
  let row = first;
  for (let group = 0; group < slice.sixes + slice.fives; group++) {
    const rows = group < slice.sixes ? 6 : 5;
    kernels.packRows(
      to,
      arena + step.input.offset,
      weights + step.window,
      rows,
      row,
      tapFrom,
      tapTo,
      channelFrom * 4,
      (channelTo - channelFrom) / 4,
    );
    to += depth * rows * 4;
    row += rows;
  }
  const outStride = step.output.stride * 4;
  const at = first * outStride + panel * 32;
  kernels.multiplyBlock(
    scratch,
    slice.sixes,
    slice.fives,
    depth / 4,
    weights + block.weights + panel * depth * 32,
    tile.until - panel,
    depth * 32,
    arena + step.output.offset + at,
    outStride,
    tile.isFirst ? weights + step.bias + panel * 32 : 0,
    tile.isLast && step.residual ? arena + step.residual.offset + at : 0,
    step.low,
    step.high,
    tile.isLast,
  );
}
