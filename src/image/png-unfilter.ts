import { corruptImage } from "./image-errors.ts";

/** Which bytes of a filtered PNG row are of use. A filter never mixes the bytes of a pixel, so the others may go. */
export interface PngLanes {
  /** Bytes a pixel, or 1 where several pixels share one. */
  readonly pixelBytes: number;
  /** How many bytes of each pixel are kept. */
  readonly kept: number;
  /** How far apart they are; the first is the pixel's first. */
  readonly stride: number;
}

/**
 * Undoes the filter of some pixels of a row (PNG specification, clause 9).
 * @param filter 0 to 4
 * @param filtered the bytes of the first pixel to do lie at `from`
 * @param row receives the kept bytes of pixels `start` to `end`; those before hold theirs already
 * @param above the kept bytes of the row above, zeros for the first row of a pass
 * @throws EmbedError `IMAGE_CORRUPT` for an unknown filter
 */
export function unfilterPng(
  filter: number,
  filtered: Uint8Array,
  from: number,
  lanes: PngLanes,
  row: Uint8Array,
  above: Uint8Array,
  start: number,
  end: number,
): void {
  const { pixelBytes, kept, stride } = lanes;
  for (let lane = 0; lane < kept; lane++) {
    let source = from + lane * stride;
    const last = end * kept;
    let i = start * kept + lane;
    let left = start > 0 ? row[i - kept]! : 0;
    switch (filter) {
      case 0:
        for (; i < last; i += kept, source += pixelBytes) row[i] = filtered[source]!;
        break;
      case 1:
        for (; i < last; i += kept, source += pixelBytes) {
          left = (filtered[source]! + left) & 255;
          row[i] = left;
        }
        break;
      case 2:
        for (; i < last; i += kept, source += pixelBytes) row[i] = filtered[source]! + above[i]!;
        break;
      case 3:
        for (; i < last; i += kept, source += pixelBytes) {
          left = (filtered[source]! + ((left + above[i]!) >> 1)) & 255;
          row[i] = left;
        }
        break;
      case 4: {
        let aboveLeft = start > 0 ? above[i - kept]! : 0;
        for (; i < last; i += kept, source += pixelBytes) {
          const up = above[i]!;
          left = (filtered[source]! + predictPaeth(left, up, aboveLeft)) & 255;
          aboveLeft = up;
          row[i] = left;
        }
        break;
      }
      default:
        throw corruptImage("png", `expected a row filter of 0 to 4, got ${filter}`);
    }
  }
}

/** The one of the three neighbours that is nearest to left + above - aboveLeft (9.4). */
export function predictPaeth(left: number, above: number, aboveLeft: number): number {
  const toLeft = Math.abs(above - aboveLeft);
  const toAbove = Math.abs(left - aboveLeft);
  const toAboveLeft = Math.abs(left + above - 2 * aboveLeft);
  if (toLeft <= toAbove && toLeft <= toAboveLeft) return left;
  return toAbove <= toAboveLeft ? above : aboveLeft;
}
