/**
 * Pillow's conversion of one CMYK colour to RGB (`cmyk2rgb` in its Convert.c): integers, no colour profile.
 * @param ink cyan, magenta or yellow, 0 none to 255 full
 * @param white 255 - black
 * @returns red, green or blue, 0..255
 */
export function inkToLight(ink: number, white: number): number {
  const product = ink * white + 128;
  return white - (((product >> 8) + product) >> 8);
}
