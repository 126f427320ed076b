import type { DepthBlock } from "./steps/convolution.ts";

/**
 * Steps of the inner dimension whose weights and rows the caches hold together. With 256 the network is about 1 % quicker,
 * but longer sums lose digits: some pictures of one colour are then more than 1e-6 off.
 */
const mostDepth = 160;
const channelPart = 128;

/** Cuts taps by channels into blocks: some whole taps, or parts of one. */
export function cutDepth(taps: number, channels: number): Omit<DepthBlock, "weights">[] {
  const blocks: Omit<DepthBlock, "weights">[] = [];
  const tapsAtATime = Math.max(1, Math.floor(mostDepth / channels));
  const part = channels > mostDepth ? channelPart : channels;
  for (let tap = 0; tap < taps; tap += tapsAtATime) {
    for (let channel = 0; channel < channels; channel += part) {
      blocks.push({
        taps: [tap, Math.min(taps, tap + tapsAtATime)],
        channels: [channel, Math.min(channels, channel + part)],
      });
    }
  }
  return blocks;
}
