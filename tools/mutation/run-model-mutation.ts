/** Reads and converts seeded mutations of small models: `node tools/mutation/run-model-mutation.ts --count 10000 --seed 1`. */

import { parseArgs } from "node:util";
import { orUsage, wholeNumbers } from "../or-usage.ts";
import { runModelMutation } from "./model-mutation.ts";

const { count, seed } = orUsage("npm run mutate:models -- [--count N] [--seed N]", () => {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
    },
  });
  return wholeNumbers(values);
});

const report = await runModelMutation({
  seed,
  count,
  caseTimeoutMs: 10_000,
  onCase: (index, line) => {
    if (line.endsWith("stopped")) console.log(line);
    if (index % 1000 === 999) console.log(`${index + 1} of ${count}`);
  },
});
for (const [name, cases] of Object.entries(report.outcomes)) console.log(`${name}: ${cases}`);
console.log(`slowest: ${report.slowestMs.toFixed(0)} ms of processor time`);
console.log(`memory: grew by ${(report.grownBytes / 2 ** 20).toFixed(0)} MiB`);
console.log(`faults: ${report.faults.length}`);
for (const line of report.faults) console.log(`  ${line}`);
process.exitCode = report.faults.length > 0 ? 1 : 0;
