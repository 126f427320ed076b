import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { BombReport } from "./picture-bomb-child.ts";

/** Longest wait for a process; one that takes as long is killed. */
const patienceMs = 60_000;

/**
 * Decodes bombs, one after the other, in a process of their own in which each decoder has worked before.
 * @param indices their places in `pictureBombs`, and behind it `largestPictures`
 * @throws Error if the process ends without a report of each
 */
export async function measurePictureBombs(indices: readonly number[]): Promise<readonly BombReport[]> {
  const entry = fileURLToPath(new URL("picture-bomb-child.ts", import.meta.url));
  const child = fork(entry, indices.map(String), { execArgv: ["--expose-gc"] });
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  const reports: BombReport[] = [];
  child.on("message", (report: BombReport) => reports.push(report));
  const ending = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(String(error)));
    child.on("exit", (code, signal) => resolve(String(signal ?? code)));
  });
  clearTimeout(timer);
  if (reports.length === indices.length) return reports;
  throw new Error(`the process ended by ${ending} after ${reports.length} of ${indices.length} bombs`);
}
