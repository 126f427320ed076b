import { isMainThread } from "node:worker_threads";
import { killWorkersAtRandom } from "./kill-workers.ts";

/** Preloaded into a server with NODE_OPTIONS=--import: its workers are killed, and its log says so. */
const meanIntervalMs = Number(process.env.PORTICO_TEST_KILL_EVERY_MS);
if (isMainThread && meanIntervalMs > 0) {
  killWorkersAtRandom(meanIntervalMs, () => process.stdout.write('{"msg":"a worker was killed"}\n'));
}
