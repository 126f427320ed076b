import type { PlainEmbedError } from "../../errors.ts";
import { pictureBytesMax, picturesMax } from "./state/page-state.ts";
import { formatBytes } from "./words/format-bytes.ts";

export interface ChosenPicture {
  readonly file: File;
  /** Set if the file will not even be read. */
  readonly refusal?: PlainEmbedError;
}

/**
 * What of some files the page takes in.
 * @param held pictures that it has already
 * @returns `notice` says in words what was left out; empty if nothing was
 */
export function choosePictures(
  files: readonly File[],
  held: number,
): { readonly pictures: readonly ChosenPicture[]; readonly notice: string } {
  const room = Math.max(0, picturesMax - held);
  const left = Math.max(0, files.length - room);
  const pictures = files.slice(0, room).map((file) => {
    if (file.size <= pictureBytesMax) return { file };
    const message = `expected a file of at most ${formatBytes(pictureBytesMax)}, got ${formatBytes(file.size)}`;
    return { file, refusal: { reason: "SOURCE_TOO_LARGE", message } as const };
  });
  const notice =
    left === 0
      ? ""
      : `This page holds ${picturesMax} pictures at most; ${left} of ${files.length} were left out. Remove some to make room.`;
  return { pictures, notice };
}
