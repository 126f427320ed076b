/**
 * Decodes seeded mutations of small pictures: `node tools/mutation/run-picture-mutation.ts --count 100000 --seed 1`.
 * `--only INDEX` runs one case again, in this process.
 */

import { readCodecs } from "../../fixtures/read-codecs.ts";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import { defaultImageLimits } from "../../src/image/pixels.ts";
import { readMutationFlags } from "./mutation-flags.ts";
import { runPictureCase } from "./picture-case.ts";
import { type PictureMutationReport, runPictureMutation } from "./picture-mutation.ts";
import { damagePicture } from "./picture-mutations.ts";
import { readPictureSeeds } from "./picture-seeds.ts";

const { count, seed, only } = readMutationFlags("mutate:pictures");

process.exitCode = only === undefined ? await runAll(count) : await runOne(only);

async function runOne(index: number): Promise<number> {
  const { from, changes, bytes } = damagePicture(readPictureSeeds(), seed, index);
  const startedAt = performance.now();
  const { name, fault } = await runPictureCase(
    createDecodeImage(readCodecs(), defaultImageLimits),
    bytes,
    index,
  );
  console.log(
    `${from}, ${changes.join(", ")}, ${bytes.length} bytes: ${fault ?? name}, ${ms(performance.now() - startedAt)}`,
  );
  return fault ? 1 : 0;
}

async function runAll(count: number): Promise<number> {
  let told = 0;
  const report = await runPictureMutation({
    seed,
    first: 0,
    count,
    onProgress: (done) => {
      if (done < told + 10_000) return;
      told = done;
      console.log(`${done} of ${count}`);
    },
  });
  tell(report);
  return report.faults.length > 0 || report.crash ? 1 : 0;
}

function tell({ done, outcomes, faults, slowest, memory, seconds, crash }: PictureMutationReport): void {
  console.log(`${done} pictures in ${seconds.toFixed(0)} s, seed ${seed}`);
  for (const [name, count] of Object.entries(outcomes)) console.log(`  ${name}: ${count}`);
  const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(
    `memory: ${megabytes(memory.firstQuarter)} in the first quarter, ${megabytes(memory.lastQuarter)} in the last, at most ${megabytes(memory.largest)}`,
  );
  for (const [title, cases] of [
    ["slowest (processor time)", slowest],
    ["faults", faults],
  ] as const) {
    console.log(`${title}: ${cases.length}`);
    for (const { index, from, changes, outcome, cpuMs } of cases)
      console.log(`  --only ${index}: ${from}, ${changes.join(", ")}: ${outcome}, ${ms(cpuMs)}`);
  }
  if (crash) console.log(`crash: ${crash}`);
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
