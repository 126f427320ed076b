import { corruptImage } from "./image-errors.ts";

/**
 * Undoes a row's filter in place (PNG specification, clause 9).
 * @param filter 0 to 4
 * @param row the filtered bytes; holds the plain ones afterwards
 * @param above the plain bytes of the row above, zeros for the first row of a pass; as long as `row`
 * @param step bytes a pixel, at least 1
 * @throws EmbedError `IMAGE_CORRUPT` for an unknown filter
 */
export function unfilterPngRow(filter: number, row: Uint8Array, above: Uint8Array, step: number): void {
  const length = row.length;
  switch (filter) {
    case 0:
      return;
    case 1:
      for (let i = step; i < length; i++) row[i] = row[i]! + row[i - step]!;
      return;
    case 2:
      for (let i = 0; i < length; i++) row[i] = row[i]! + above[i]!;
      return;
    case 3:
      for (let i = 0; i < length; i++) {
        const left = i < step ? 0 : row[i - step]!;
        row[i] = row[i]! + ((left + above[i]!) >> 1);
      }
      return;
    case 4:
      for (let i = 0; i < length; i++) {
        const left = i < step ? 0 : row[i - step]!;
        const aboveLeft = i < step ? 0 : above[i - step]!;
        row[i] = row[i]! + predictPaeth(left, above[i]!, aboveLeft);
      }
      return;
    default:
      throw corruptImage("png", `expected a row filter of 0 to 4, got ${filter}`);
  }
}

/** The one of the three neighbours that is nearest to left + above - aboveLeft (9.4). */
function predictPaeth(left: number, above: number, aboveLeft: number): number {
  const toLeft = Math.abs(above - aboveLeft);
  const toAbove = Math.abs(left - aboveLeft);
  const toAboveLeft = Math.abs(left + above - 2 * aboveLeft);
  if (toLeft <= toAbove && toLeft <= toAboveLeft) return left;
  return toAbove <= toAboveLeft ? above : aboveLeft;
}
