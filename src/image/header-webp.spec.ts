import { expect, test } from "vitest";
import { readImage } from "../../fixtures/read-golden.ts";
import { readWebpHeader } from "./header-webp.ts";

const lossy = readImage("webp/lossy.webp");
const alpha = readImage("webp/lossy-alpha.webp");
const animated = readImage("webp/animated-small-first.webp");

function change(bytes: Uint8Array, offset: number, ...values: readonly number[]): Uint8Array {
  const changed = bytes.slice();
  changed.set(values, offset);
  return changed;
}

function offsetOf(bytes: Uint8Array, text: string): number {
  return new TextDecoder("latin1").decode(bytes).indexOf(text);
}

test("a still picture fills its canvas", () => {
  const { frame, ...header } = readWebpHeader(lossy);
  expect(header).toEqual({ format: "webp", width: frame.width, height: frame.height, animated: false });
  expect(frame).toMatchObject({ x: 0, y: 0, alpha: undefined });
});

test("the alpha plane and the frame's place are found", () => {
  expect(readWebpHeader(alpha).frame.alpha?.type).toBe("ALPH");
  const { animated: isAnimated, width, frame } = readWebpHeader(animated);
  expect(isAnimated).toBe(true);
  expect(frame.x + frame.width).toBeLessThanOrEqual(width);
});

test("what follows the RIFF container is ignored", () => {
  const longer = new Uint8Array(lossy.length + 9).fill(255);
  longer.set(lossy);
  expect(readWebpHeader(longer)).toEqual(readWebpHeader(lossy));
});

const anmf = offsetOf(animated, "ANMF") + 8;

test.each<[string, Uint8Array, RegExp]>([
  [
    "a canvas of another size than its picture",
    change(alpha, 24, 0, 0, 0),
    /^corrupt WebP: the canvas is 1 x \d+, its picture \d+ x \d+$/,
  ],
  [
    "a frame that reaches past the canvas",
    change(animated, anmf, 0xff, 0xff, 0),
    /^corrupt WebP: the canvas is \d+ x \d+, its first frame \d+ x \d+ at 131070, \d+$/,
  ],
  [
    "a frame of another size than its picture",
    change(animated, anmf + 6, 0, 0, 0),
    /^corrupt WebP: the first frame is 1 x \d+, its picture \d+ x \d+$/,
  ],
  [
    "a chunk that is longer than its container",
    change(lossy, 16, 0xff, 0xff, 0xff),
    /^corrupt WebP: truncated: chunk VP8 {2}should end at byte \d+, the file ends at \d+$/,
  ],
  [
    "a frame that is not a key frame",
    change(lossy, 20, 1),
    /^corrupt WebP: expected a VP8 key frame with the start code 9d 01 2a$/,
  ],
  [
    "a width of 0",
    change(lossy, 26, 0, 0),
    /^corrupt WebP: expected a width and a height of at least 1, got 0 x \d+$/,
  ],
  [
    "an unknown first chunk",
    change(lossy, 12, 0x41, 0x42, 0x43, 0x44),
    /^corrupt WebP: expected a chunk VP8 or VP8L, got ABCD$/,
  ],
  [
    "a wrong VP8L signature",
    change(readImage("webp/lossless.webp"), 20, 0x30),
    /^corrupt WebP: expected the VP8L signature 2f, got 30$/,
  ],
])("%s is refused", (_, bytes, message) => {
  expect(() => readWebpHeader(bytes)).toThrow(message);
});
