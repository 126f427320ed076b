import startJpegDecoder from "@jsquash/jpeg/codec/dec/mozjpeg_dec.js";
import { expect, test, vi } from "vitest";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import { readGolden, readImage } from "../../fixtures/read-golden.ts";
import { createWasmCodec, type DecoderFactory } from "./wasm-codec.ts";

const path = "jpeg/baseline-444.jpg";
const { jpeg } = readCodecs();

/** The real decoder, and how often it was started. */
function countStarts() {
  let count = 0;
  const factory: DecoderFactory = (options) => {
    count++;
    return (startJpegDecoder as unknown as DecoderFactory)(options);
  };
  return { factory, count: () => count };
}

test("one instance decodes picture after picture", async () => {
  const starts = countStarts();
  const decode = createWasmCodec(starts.factory, jpeg, [false]);
  const golden = readGolden("decoded", path)!;
  for (let i = 0; i < 3; i++) {
    expect(await decode(readImage(path))).toMatchObject({ width: golden.width, height: golden.height });
  }
  expect(starts.count()).toBe(1);
});

test("after a failure the next picture gets a fresh instance", async () => {
  const starts = countStarts();
  const decode = createWasmCodec(starts.factory, jpeg, [false]);
  await expect(decode(Uint8Array.of(0xff, 0xd8, 0xff, 0xd9))).rejects.toThrow(Error);
  await decode(readImage(path));
  expect(starts.count()).toBe(2);
});

test("a start that fails is not kept", async () => {
  const starts = countStarts();
  let isBroken = true;
  const factory: DecoderFactory = (options) =>
    isBroken ? Promise.reject(new Error("no memory")) : starts.factory(options);
  const decode = createWasmCodec(factory, jpeg, [false]);
  await expect(decode(readImage(path))).rejects.toThrow("Error: no memory");
  isBroken = false;
  await decode(readImage(path));
  expect(starts.count()).toBe(1);
});

test("what the decoder prints is in the error, not on the console", async () => {
  const consoles = [vi.spyOn(console, "error"), vi.spyOn(console, "log"), vi.spyOn(console, "warn")];
  const decode = createWasmCodec(countStarts().factory, jpeg, [false]);
  const failure = decode(readImage(path).subarray(0, 200));
  await expect(failure).rejects.toThrow(/JPEG/);
  for (const spy of consoles) expect(spy).not.toHaveBeenCalled();
});
