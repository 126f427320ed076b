import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** What ghz counted. */
export interface GhzReport {
  readonly count: number;
  readonly rps: number;
  readonly statusCodeDistribution: Readonly<Record<string, number>>;
  readonly errorDistribution?: Readonly<Record<string, number>>;
  readonly latencyDistribution: readonly { readonly percentage: number; readonly latency: number }[] | null;
}

export interface GhzOptions {
  /** Full path of the program. */
  readonly ghz: string;
  /** http://HOST:PORT */
  readonly url: string;
  /** Where its files are written. */
  readonly folder: string;
  readonly callers: number;
  readonly calls: number;
  /** As fast as the callers can, without it. */
  readonly callsPerSecond?: number;
  /** Requests of Execute, sent in turn. */
  readonly requests: readonly object[];
}

const run = promisify(execFile);

/** Loads `omnisearch.Operator/Execute` over gRPC with ghz and a set of protos that buf makes. */
export async function runGhz(options: GhzOptions): Promise<GhzReport> {
  const { ghz, url, folder, callers, calls, callsPerSecond = 0, requests } = options;
  await mkdir(folder, { recursive: true });
  const protoset = join(folder, "portico.binpb");
  const data = join(folder, "requests.json");
  const report = join(folder, "ghz.json");
  await run("buf", ["build", "--as-file-descriptor-set", "-o", protoset]);
  await writeFile(data, JSON.stringify(requests));
  await run(ghz, [
    "--insecure",
    `--protoset=${protoset}`,
    "--call=omnisearch.Operator/Execute",
    `--data-file=${data}`,
    `--concurrency=${callers}`,
    `--total=${calls}`,
    // 0: no limit.
    `--rps=${callsPerSecond}`,
    // As many callers as a session takes streams share one.
    "--connections=8",
    "--timeout=60s",
    "--format=json",
    `--output=${report}`,
    url.replace("http://", ""),
  ]);
  return JSON.parse(await readFile(report, "utf8")) as GhzReport;
}
