/**
 * Sends mutated requests to a server of its own and fails if one of them hurts it.
 *
 * npm run mutate:requests -- --count 100000 --seed 1
 * npm run mutate:requests -- --seed 1 --only 4711
 */
import { readMutationFlags } from "./mutation-flags.ts";
import { unaccountedAnswers } from "./request-internal-answers.ts";
import { findGrowth, runRequests } from "./request-run.ts";
import { recordRequestSamples } from "./request-samples.ts";
import { startRequestVictim } from "./request-victim-process.ts";

const flags = readMutationFlags("mutate:requests");
const { seed, only } = flags;
const count = only === undefined ? flags.count : 1;
const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const victim = await startRequestVictim();
try {
  const samples = await recordRequestSamples(victim.port);
  const figures = await runRequests({
    victim,
    samples,
    seed,
    first: only ?? 0,
    count,
    onProgress(done, { rssBytes, heapBytes }) {
      if (done % 5_000 === 0)
        console.log(`${done} of ${count}, resident ${megabytes(rssBytes)}, heap ${megabytes(heapBytes)}`);
    },
  });
  const { seconds, goodCalls, resident, heap } = figures;
  const unaccounted = unaccountedAnswers(figures.internalAnswers);
  console.log(
    `${count} mutated requests of seed ${seed} in ${seconds.toFixed(0)} s, ${goodCalls} good calls among them`,
  );
  for (const [name, { firstBytes, lastBytes }] of Object.entries({ resident, heap })) {
    console.log(
      `${name}: ${megabytes(firstBytes)} in the first quarter, ${megabytes(lastBytes)} in the last`,
    );
  }
  const growth = findGrowth(figures);
  const faults = unaccounted.map((answer) => `an answer that blames the server: ${answer}`);
  if (growth !== undefined) faults.push(growth);
  for (const fault of faults) console.log(fault);
  if (faults.length > 0) process.exitCode = 1;
} finally {
  await victim.stop();
}
