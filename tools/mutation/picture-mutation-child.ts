/** Entry of the process that decodes damaged pictures; `picture-mutation.ts` starts it and reads its messages. */

import { readCodecs } from "../../fixtures/read-codecs.ts";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import { defaultImageLimits } from "../../src/image/pixels.ts";
import { runPictureCase } from "./picture-case.ts";
import { damagePicture } from "./picture-mutations.ts";
import { readPictureSeeds } from "./picture-seeds.ts";

/** One case that took long or broke a promise. */
export interface NotedCase {
  readonly index: number;
  readonly from: string;
  readonly changes: readonly string[];
  readonly outcome: string;
  /** Processor time of the decoding thread. */
  readonly cpuMs: number;
}

/** What the process tells after each batch. */
export interface BatchReport {
  /** Index of the first case that has not been run. */
  readonly next: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: readonly NotedCase[];
  readonly slowest: readonly NotedCase[];
  readonly rssBytes: number;
}

/** Cases a message: few enough that a hang is noticed and a crash narrowed down. */
const batchSize = 100;

const [seed, first, count] = process.argv.slice(2).map(Number) as [number, number, number];
const seeds = readPictureSeeds();
const decode = createDecodeImage(readCodecs(), defaultImageLimits);

async function runBatch(from: number, until: number): Promise<BatchReport> {
  const outcomes: Record<string, number> = {};
  const noted: (NotedCase & { readonly isFault: boolean })[] = [];
  for (let index = from; index < until; index++) {
    const { bytes, changes, from: path } = damagePicture(seeds, seed, index);
    const before = process.threadCpuUsage();
    const { name, fault } = await runPictureCase(decode, bytes, index);
    const { user, system } = process.threadCpuUsage(before);
    outcomes[name] = (outcomes[name] ?? 0) + 1;
    const cpuMs = (user + system) / 1000;
    noted.push({ index, from: path, changes, outcome: fault ?? name, cpuMs, isFault: fault !== undefined });
  }
  return {
    next: until,
    outcomes,
    faults: noted.filter(({ isFault }) => isFault),
    slowest: noted.toSorted((a, b) => b.cpuMs - a.cpuMs).slice(0, 5),
    rssBytes: process.memoryUsage.rss(),
  };
}

for (let from = first; from < first + count; from += batchSize) {
  const report = await runBatch(from, Math.min(from + batchSize, first + count));
  await new Promise((resolve) => process.send!(report, resolve));
}
process.disconnect();
