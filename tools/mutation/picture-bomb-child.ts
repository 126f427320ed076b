/** Entry of the process that decodes bombs; `measure-picture-bombs.ts` starts it and reads its messages. */

import { Worker } from "node:worker_threads";
import { readCodecs } from "../../fixtures/read-codecs.ts";
import { readImage } from "../../fixtures/read-golden.ts";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import { defaultImageLimits } from "../../src/image/pixels.ts";
import { largestPictures } from "./largest-pictures.ts";
import { pictureBombs } from "./picture-bombs.ts";
import { runPictureCase } from "./picture-case.ts";

/** What decoding one picture took. */
export interface BombReport {
  readonly encodedBytes: number;
  readonly outcome: string;
  readonly ms: number;
  /** Processor time of the decoding thread. */
  readonly cpuMs: number;
  /** Largest resident size during the work, beyond that before it. */
  readonly extraBytes: number;
}

/** The largest resident size, which a thread of its own watches while the decoder holds this one. */
const peak = new Float64Array(new SharedArrayBuffer(8));
const watch = `
  import { workerData as peak } from "node:worker_threads";
  const still = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    peak[0] = Math.max(peak[0], process.memoryUsage.rss());
    Atomics.wait(still, 0, 0, 1);
  }`;

const warmUps = [
  "jpeg/cmyk-adobe.jpg",
  "jpeg/grey.jpg",
  "png/rgb-8bit.png",
  "webp/lossless.webp",
  "gif/89a.gif",
];

const decode = createDecodeImage(readCodecs(), defaultImageLimits);
// A server's decoders have been used before.
for (const path of warmUps) await decode(readImage(path));
const watcher = new Worker(watch, { eval: true, workerData: peak });
await new Promise((resolve) => watcher.once("online", resolve));

const pictures = [...pictureBombs, ...largestPictures];
for (const index of process.argv.slice(2).map(Number)) {
  const report = await measure(pictures[index]!.make());
  await new Promise((resolve) => process.send!(report, resolve));
}
process.exit();

async function measure(bytes: Uint8Array): Promise<BombReport> {
  gc!();
  // The watcher needs a moment, and memory that was freed is given back late.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const before = process.memoryUsage.rss();
  peak[0] = before;
  const cpuBefore = process.threadCpuUsage();
  const startedAt = performance.now();
  const { name, fault } = await runPictureCase(decode, bytes, 0);
  const ms = performance.now() - startedAt;
  const { user, system } = process.threadCpuUsage(cpuBefore);
  return {
    encodedBytes: bytes.length,
    outcome: fault ?? name,
    ms,
    cpuMs: (user + system) / 1000,
    extraBytes: Math.max(peak[0], process.memoryUsage.rss()) - before,
  };
}
