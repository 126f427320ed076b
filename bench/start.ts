import { access } from "node:fs/promises";
import { parseArgs } from "node:util";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { startPortico } from "../tools/start-portico.ts";
import { startSection } from "./report/start-section.ts";
import { type Spread, spreadOf } from "./statistics.ts";

/**
 * How long a server takes from the start of its process to the first vector that passed the self-check, with the
 * model in the cache: each engine from `dist`, as users run it, and from the sources, whose types Node strips at each
 * start. The starts take turns, so that other work on the machine falls on all alike.
 */

export interface StartOptions {
  readonly rounds: number;
}

export interface StartReport extends StartOptions {
  readonly starts: readonly TimedStart[];
}

export interface TimedStart {
  readonly engine: string;
  readonly from: "dist" | "source";
  /** To `ready`. */
  readonly ready: Spread;
  /** Until the port answers; before, the process loads its modules. */
  readonly listening: Spread;
}

const entries = { dist: "dist/cli/portico.js", source: "src/cli/portico.ts" } as const;

/** @throws Error before `npm run build` */
export async function measureStart({ rounds }: StartOptions): Promise<StartReport> {
  await access(new URL(`../${entries.dist}`, import.meta.url)).catch((cause: unknown) => {
    throw new Error(`expected ${entries.dist}; npm run build makes it`, { cause });
  });
  const starts = (["dist", "source"] as const).flatMap((from) =>
    ["simd", "ort-wasm"].map((engine) => ({
      engine,
      from,
      readyMs: [] as number[],
      listeningMs: [] as number[],
    })),
  );
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < starts.length; turn++) {
      const { engine, from, readyMs, listeningMs } = starts[(round + turn) % starts.length]!;
      const spawnedAt = Date.now();
      const server = await startPortico({
        entry: entries[from],
        args: ["--engine", engine, "--workers", "1"],
      });
      readyMs.push(server.startMs);
      listeningMs.push(Number(server.log.find(({ url }) => url !== undefined)?.time) - spawnedAt);
      await server.stop();
    }
  }
  return {
    rounds,
    starts: starts.map(({ engine, from, readyMs, listeningMs }) => ({
      engine,
      from,
      ready: spreadOf(readyMs),
      listening: spreadOf(listeningMs),
    })),
  };
}

if (import.meta.main) {
  const options = orUsage("npm run bench:start -- [--rounds N]", () =>
    wholeNumbers(parseArgs({ options: { rounds: { type: "string", default: "5" } } }).values),
  );
  console.log(startSection(await measureStart(options)));
}
