import { setTimeout as sleep } from "node:timers/promises";
import { median } from "../../bench/statistics.ts";
import { createCases, reportCases } from "../cases.ts";
import { requireGoTool } from "../require-go-tool.ts";
import { createCheckingClient } from "./checking-client.ts";
import { readMemory } from "./process-memory.ts";
import { runGhz } from "./run-ghz.ts";
import { startTiny } from "./start-tiny.ts";

/**
 * `npm run soak [-- FILE]`: 64 callers and 10,000 calls of ghz against the real server over a tiny network: none
 * lost, none wrong, memory flat. A client of our own compares vectors meanwhile, since ghz counts codes only.
 * FILE gets {passed, failed, skipped, results} as JSON.
 */
const callers = 64;
const calls = 10_000;
/**
 * What comes first: until about 20,000 pictures the heaps of the server and of its workers grow to the size
 * that they then keep. In batches, since that takes less time.
 */
const warmUp = { batches: 4_000, singles: 1_000 };
/** First and last quarter of the calls, as a part of the first. */
const memoryTolerance = 0.05;
const sampleMs = 50;

const { results, check, skip } = createCases();
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

async function soak(ghz: string): Promise<void> {
  const server = await startTiny();
  const checking = await createCheckingClient(server.url);
  const requests = checking.datas.map((data) => ({ datas: [data] }));
  const load = (total: number, requests: readonly object[]) =>
    runGhz({ ghz, url: server.url, folder: "output/soak", callers, calls: total, requests });
  await load(warmUp.batches, [{ datas: checking.datas }]);
  await load(warmUp.singles, requests);

  let isOver = false;
  const samples: number[] = [];
  const sample = async () => {
    while (!isOver) {
      samples.push(await readMemory(server.pid, "VmRSS"));
      await sleep(sampleMs);
    }
  };
  const sampling = sample();
  const checked = checking.run(() => isOver);
  const report = await load(calls, requests).finally(() => {
    isOver = true;
  });
  await sampling;
  const { vectors, wrong } = await checked;
  const exitCode = await server.stop();

  const codes = JSON.stringify(report.statusCodeDistribution);
  check(`ghz: ${calls} calls OK`, report.count === calls && codes === `{"OK":${calls}}`, codes);
  check(
    "vectors right, bit for bit",
    vectors > 0 && wrong.length === 0,
    `${vectors} compared; ${wrong.slice(0, 3).join("; ") || "none wrong"}`,
  );
  const quarter = Math.floor(samples.length / 4);
  const [first, last] = [median(samples.slice(0, quarter)), median(samples.slice(-quarter))];
  check(
    `memory flat within ${memoryTolerance * 100} %`,
    quarter >= 5 && last <= first * (1 + memoryTolerance),
    `${megabytes(first)} in the first quarter, ${megabytes(last)} in the last, ${samples.length} samples`,
  );
  check("the server ends with exit code 0", exitCode === 0, String(exitCode));
  console.log(`${report.rps.toFixed(0)} calls per second`);
}

const ghz = requireGoTool("ghz");
if (ghz) await soak(ghz);
else skip("soak");
reportCases(results, process.argv[2]);
