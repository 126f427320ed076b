import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "../../bench/statistics.ts";
import type { BatchReport, NotedCase } from "./picture-mutation-child.ts";

export interface PictureMutationOptions {
  readonly seed: number;
  /** Index of the first case. */
  readonly first: number;
  readonly count: number;
  readonly onProgress?: (done: number) => void;
}

export interface PictureMutationReport {
  /** Cases that were run to their end. */
  readonly done: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: readonly NotedCase[];
  /** The five that took most processor time, the slowest first. */
  readonly slowest: readonly NotedCase[];
  /** Median resident bytes of the process in the first and the last quarter of the run, and its largest. */
  readonly memory: { readonly firstQuarter: number; readonly lastQuarter: number; readonly largest: number };
  readonly seconds: number;
  /** How the process ended, if not by itself after its last case. */
  readonly crash: string | undefined;
}

/** A process that says nothing for so long hangs: a hundred pictures take a second. */
const silenceMs = 120_000;

/**
 * What the process is started with, so that its resident size tells what is held, and not what was once needed: after
 * the first large block that is freed, glibc keeps blocks of up to 32 MB for later instead of giving them back; and
 * V8 lets its young generation grow to 100 MB and more while there is garbage.
 */
const returnFreedMemory = { MALLOC_MMAP_THRESHOLD_: String(128 * 1024) };
const smallYoungGeneration = ["--max-semi-space-size=8"];

/** Decodes damaged pictures in a process of their own, so that a crash or a hang is a finding and not the end. */
export async function runPictureMutation(options: PictureMutationOptions): Promise<PictureMutationReport> {
  const { seed, first, count } = options;
  const startedAt = performance.now();
  const reports: BatchReport[] = [];
  const entry = fileURLToPath(new URL("picture-mutation-child.ts", import.meta.url));
  const child = fork(entry, [seed, first, count].map(String), {
    env: { ...process.env, ...returnFreedMemory },
    execArgv: smallYoungGeneration,
  });
  let hung = false;
  const watchdog = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, silenceMs);
  child.on("message", (report: BatchReport) => {
    reports.push(report);
    watchdog.refresh();
    options.onProgress?.(report.next - first);
  });
  const ending = await new Promise<string | undefined>((resolve) => {
    child.on("error", (error) => resolve(String(error)));
    child.on("exit", (code, signal) => resolve(code === 0 ? undefined : `exit ${signal ?? code}`));
  });
  clearTimeout(watchdog);

  const done = (reports.at(-1)?.next ?? first) - first;
  const where = `among the cases ${first + done} to ${first + done + 99}`;
  const end = hung ? `no sign for ${silenceMs} ms` : ending;
  return {
    done,
    outcomes: sumOutcomes(reports),
    faults: reports.flatMap(({ faults }) => faults),
    slowest: reports
      .flatMap(({ slowest }) => slowest)
      .toSorted((a, b) => b.cpuMs - a.cpuMs)
      .slice(0, 5),
    memory: {
      firstQuarter: median(reports.slice(0, Math.ceil(reports.length / 4)).map(({ rssBytes }) => rssBytes)),
      lastQuarter: median(reports.slice(-Math.ceil(reports.length / 4)).map(({ rssBytes }) => rssBytes)),
      largest: Math.max(...reports.map(({ rssBytes }) => rssBytes)),
    },
    seconds: (performance.now() - startedAt) / 1000,
    crash: end ? `${end}, ${where}` : undefined,
  };
}

function sumOutcomes(reports: readonly BatchReport[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [name, count] of reports.flatMap(({ outcomes }) => Object.entries(outcomes))) {
    sums[name] = (sums[name] ?? 0) + count;
  }
  return sums;
}
