import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../../bench/statistics.ts";
import { createCases, reportCases } from "../cases.ts";
import { requireGoTool } from "../require-go-tool.ts";
import { createCheckingClient } from "./checking-client.ts";
import { readMemory } from "./process-memory.ts";
import { type GhzReport, runGhz } from "./run-ghz.ts";
import { startTiny } from "./start-tiny.ts";

/**
 * `npm run soak [-- FILE]`: 64 callers and 10,000 calls of ghz against the real server over a tiny network: none
 * lost, none wrong, memory flat. A client of our own compares vectors meanwhile, since ghz counts codes only.
 * FILE gets {passed, failed, skipped, results} as JSON.
 */
const callers = 64;
const calls = 10_000;
/** What comes first, since the heaps of the server and of its workers grow most then. In batches: that takes less time. */
const warmUp = { batches: 4_000, singles: 1_000 };
/** First and last quarter of the calls, as a part of the first. */
const memoryTolerance = 0.05;
/** How often all calls are made at most until memory is flat: a heap grows in steps to a size that it keeps, a leak goes on. */
const maxRounds = 3;
const sampleMs = 50;
const minSamples = 20;

const { results, check, skip } = createCases();
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

/** What a process holds during some work, in bytes: the medians of the first and the last quarter of the samples. */
async function measureMemory<T>(pid: number, work: () => Promise<T>) {
  let isOver = false;
  const samples: number[] = [];
  const sample = async () => {
    while (!isOver) {
      samples.push(await readMemory(pid, "VmRSS"));
      await sleep(sampleMs);
    }
  };
  const sampling = sample();
  const result = await work().finally(() => {
    isOver = true;
  });
  await sampling;
  const quarter = Math.floor(samples.length / 4);
  const [first, last] = [median(samples.slice(0, quarter)), median(samples.slice(-quarter))];
  return {
    result,
    isFlat: samples.length >= minSamples && last <= first * (1 + memoryTolerance),
    found: `${megabytes(first)} in the first quarter, ${megabytes(last)} in the last, ${samples.length} samples`,
  };
}

async function soak(ghz: string): Promise<void> {
  const server = await startTiny();
  const checking = await createCheckingClient(server.url);
  const requests = checking.datas.map((data) => ({ datas: [data] }));
  const load = (total: number, requests: readonly object[]): Promise<GhzReport> =>
    runGhz({ ghz, url: server.url, folder: "output/soak", callers, calls: total, requests });
  async function loadChecked() {
    let isOver = false;
    const checked = checking.run(() => isOver);
    const report = await load(calls, requests).finally(() => {
      isOver = true;
    });
    return { report, checked: await checked };
  }
  await load(warmUp.batches, [{ datas: checking.datas }]);
  await load(warmUp.singles, requests);

  const memory: string[] = [];
  let isFlat = false;
  while (!isFlat && memory.length < maxRounds) {
    const measured = await measureMemory(server.pid, loadChecked);
    const { report, checked } = measured.result;
    const codes = JSON.stringify(report.statusCodeDistribution);
    const round = `round ${memory.length + 1}`;
    check(`${round}: ghz: ${calls} calls OK`, report.count === calls && codes === `{"OK":${calls}}`, codes);
    check(
      `${round}: vectors right, bit for bit`,
      checked.vectors > 0 && checked.wrong.length === 0,
      `${checked.vectors} compared; ${checked.wrong.slice(0, 3).join("; ") || "none wrong"}`,
    );
    console.log(`${report.rps.toFixed(0)} calls per second`);
    isFlat = measured.isFlat;
    memory.push(measured.found);
  }
  check(`memory flat within ${memoryTolerance * 100} %`, isFlat, memory.join(", then "));
  const exitCode = await server.stop();
  check("the server ends with exit code 0", exitCode === 0, String(exitCode));
}

const ghz = requireGoTool("ghz");
if (ghz) await soak(ghz);
else skip("soak");
reportCases(results, process.argv[2]);
