/**
 * The 256 colours of a palette, as Pillow keeps them: those that the file does not set are black. But a palette that
 * is no more than the beginning of a grey ramp is dropped, and an index is its own grey level.
 * @param palette red, green and blue of each colour that the file sets; none without a palette
 * @returns 768 bytes
 */
export function spreadPalette(palette: Uint8Array | undefined): Uint8Array {
  const colours = new Uint8Array(768);
  if (palette?.some((value, i) => value !== Math.trunc(i / 3))) colours.set(palette.subarray(0, 768));
  else for (let i = 0; i < 768; i++) colours[i] = Math.trunc(i / 3);
  return colours;
}
