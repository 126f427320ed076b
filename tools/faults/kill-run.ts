import { parseArgs } from "node:util";
import type { SelfCheck } from "../../src/embed/self-check.ts";
import type { EngineName } from "../../src/engine/engine.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { readTinyPictures } from "../load/tiny-model.ts";
import { startTinyServer, type TinyServerOptions } from "../load/tiny-server.ts";
import { orUsage, wholeNumbers } from "../or-usage.ts";
import { startPortico } from "../start-portico.ts";
import { type CallCounts, callUnderFaults } from "./call-under-faults.ts";
import { killWorkersAtRandom } from "./kill-workers.ts";

/**
 * Worker threads of a real server are killed at random under load, over a socket: every call must end with the
 * right vectors or with an error that says that a retry may succeed.
 *
 * npm run faults [-- --seconds 60 --kill-every-ms 500]
 */

export interface KillRunOptions {
  readonly seconds: number;
  /** Mean time between two kills. */
  readonly killEveryMs: number;
}

export interface KillRunReport extends CallCounts {
  readonly kills: number;
}

const workers = 2;
const callers = 4;

/** A run says something once a few workers were killed and calls were right in spite of that. */
const hasSeen =
  (kills: () => number) =>
  ({ right }: CallCounts): boolean =>
    right > 0 && kills() > 2;

/** Fewer callers than workers: those without work help with the pictures of others. */
const gang = { workers: 4, callers: 2, gangThreads: 4, engine: "simd" } as const;

/** `portico serve` with ResNet50, in a process of its own. A worker takes about a second to start. */
export async function killRunResnet50(
  { seconds, killEveryMs }: KillRunOptions,
  engine: EngineName = "ort-wasm",
): Promise<KillRunReport> {
  const names = ["photo/locomotion-house-cat.jpg", "webp/lossy.webp", "bmp/24bit.bmp"];
  const pictures = await Promise.all(names.map(readVectorGolden));
  const server = await startPortico({
    args: ["--workers", String(workers), "--engine", engine],
    env: {
      NODE_OPTIONS: `--import=${new URL("./kill-workers-preload.ts", import.meta.url)}`,
      PORTICO_TEST_KILL_EVERY_MS: String(killEveryMs),
    },
  });
  try {
    const kills = () => server.log.filter(({ msg }) => msg === "a worker was killed").length;
    const isEnough = hasSeen(kills);
    const counts = await callUnderFaults({ address: server.address, pictures, callers, seconds, isEnough });
    return { ...counts, kills: kills() };
  } finally {
    await server.stop("SIGKILL");
  }
}

/** The same server and pool in this process over a network so small that thousands of calls meet the kills. */
export const killRunTiny = (options: KillRunOptions): Promise<KillRunReport> =>
  killInProcess(options, { workers, callers });

/** The same, and most pictures are shared by several workers. */
export async function killRunGangs(options: KillRunOptions): Promise<KillRunReport> {
  const report = await killInProcess(options, gang);
  return report.helps > 0 ? report : { ...report, defects: [...report.defects, "no worker helped another"] };
}

async function killInProcess(
  { seconds, killEveryMs }: KillRunOptions,
  { callers, ...options }: { readonly workers: number; readonly callers: number } & TinyServerOptions,
): Promise<KillRunReport & { readonly helps: number }> {
  const pictures: readonly SelfCheck[] = await readTinyPictures();
  const killer = killWorkersAtRandom(killEveryMs);
  const { server, embedder, close } = await startTinyServer(options);
  try {
    const address = server.localUrl.replace("http://", "");
    const isEnough = hasSeen(killer.kills);
    const counts = await callUnderFaults({ address, pictures, callers, seconds, isEnough });
    return { ...counts, kills: killer.kills(), helps: embedder.state().helps };
  } finally {
    killer.stop();
    await close();
  }
}

async function main(): Promise<void> {
  const options = orUsage("npm run faults -- [--seconds N] [--kill-every-ms N]", (): KillRunOptions => {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string", default: "60" },
        "kill-every-ms": { type: "string", default: "500" },
      },
    });
    const { seconds, "kill-every-ms": killEveryMs } = wholeNumbers(values);
    return { seconds, killEveryMs };
  });
  for (const [name, run] of [
    ["tiny network", killRunTiny],
    ["tiny network, gangs", killRunGangs],
    ["ResNet50", killRunResnet50],
    ["ResNet50, simd", (options: KillRunOptions) => killRunResnet50(options, "simd")],
  ] as const) {
    const { right, retryable, defects, kills, longestMs } = await run(options);
    console.log(
      `${name}: ${options.seconds} s, ${kills} workers killed, ${right + retryable + defects.length} calls: ${right} right, ${retryable} retryable errors, ${defects.length} defects; longest ${Math.round(longestMs)} ms`,
    );
    for (const defect of defects) console.log(`  ${defect}`);
    if (defects.length > 0 || right === 0 || kills === 0) process.exitCode = 1;
  }
}

if (import.meta.main) await main();
