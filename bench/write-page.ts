import { writeFile } from "node:fs/promises";
import { benchmarksPage, engineChart, operatorChart } from "./report/benchmarks-page.ts";
import { networksPage } from "./report/networks-page.ts";
import { sizesPage } from "./report/sizes-page.ts";
import { readRun } from "./results.ts";

/** docs/benchmarks.md and its charts, docs/networks.md and docs/sizes.md, by path from the root of the repository, from bench/results. */
export async function makePage(): Promise<Readonly<Record<string, string>>> {
  const [bench, peers, sizes, networks] = await Promise.all([
    readRun("bench"),
    readRun("peers"),
    readRun("sizes"),
    readRun("networks"),
  ]);
  return {
    "docs/benchmarks.md": benchmarksPage(bench, peers),
    "docs/networks.md": networksPage(networks),
    "docs/sizes.md": sizesPage(sizes),
    "docs/benchmarks-engines.svg": engineChart(peers.report.engines),
    "docs/benchmarks-operators.svg": operatorChart(peers.report.operators),
  };
}

export async function writePage(): Promise<void> {
  for (const [path, text] of Object.entries(await makePage())) {
    await writeFile(new URL(`../${path}`, import.meta.url), text);
  }
}

if (import.meta.main) await writePage();
