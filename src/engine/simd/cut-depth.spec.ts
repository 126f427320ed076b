import { expect, test } from "vitest";
import { cutDepth } from "./cut-depth.ts";

test.each<[taps: number, channels: number, blocks: string]>([
  [1, 64, "0-1 x 0-64"],
  [1, 160, "0-1 x 0-160"],
  [1, 168, "0-1 x 0-128, 0-1 x 128-168"],
  [1, 512, "0-1 x 0-128, 0-1 x 128-256, 0-1 x 256-384, 0-1 x 384-512"],
  [49, 4, "0-40 x 0-4, 40-49 x 0-4"],
  [9, 64, "0-2 x 0-64, 2-4 x 0-64, 4-6 x 0-64, 6-8 x 0-64, 8-9 x 0-64"],
  [2, 256, "0-1 x 0-128, 0-1 x 128-256, 1-2 x 0-128, 1-2 x 128-256"],
])("%i taps of %i channels are cut into %s", (taps, channels, blocks) => {
  const show = ({ taps, channels }: ReturnType<typeof cutDepth>[number]) =>
    `${taps.join("-")} x ${channels.join("-")}`;
  expect(cutDepth(taps, channels).map(show).join(", ")).toBe(blocks);
});
