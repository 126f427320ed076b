import type { PictureBomb } from "./picture-bomb-parts.ts";
import { bmpBombs } from "./picture-bombs-bmp.ts";
import { gifBombs } from "./picture-bombs-gif.ts";
import { jpegBombs } from "./picture-bombs-jpeg.ts";
import { pngBombs } from "./picture-bombs-png.ts";
import { tiffBombs } from "./picture-bombs-tiff.ts";
import { webpBombs } from "./picture-bombs-webp.ts";

/** Every bomb, by format. */
export const pictureBombs: readonly PictureBomb[] = [
  ...jpegBombs,
  ...pngBombs,
  ...gifBombs,
  ...bmpBombs,
  ...tiffBombs,
  ...webpBombs,
];
