import { runClosedLoop } from "./closed-loop.ts";
import { createExecute } from "./execute-picture.ts";
import { readPhotographs } from "./photographs.ts";
import { median, type Percentiles, percentilesOf } from "./statistics.ts";

export interface TurnsOptions {
  readonly callerCounts: readonly number[];
  readonly rounds: number;
  /** Of one turn of one operator with one number of callers. */
  readonly seconds: number;
}

export interface CallersLatency extends Percentiles {
  readonly callers: number;
  /** Photographs per second: the median of the rounds. */
  readonly perSecond: number;
}

/** Calls before anything is timed, so that every worker has started and is warm. */
const warmUp = { callers: 4, calls: 16 } as const;

/**
 * Execute with photographs as base64, each caller on a connection of its own. The operators are called in turns, and the
 * first of each round changes, so that other work on the machine falls on all alike.
 * @param addresses HOST:PORT of operators that run
 * @returns for each address, for each number of callers
 */
export async function executeInTurns(
  addresses: readonly string[],
  { callerCounts, rounds, seconds }: TurnsOptions,
): Promise<readonly (readonly CallersLatency[])[]> {
  const photos = (await readPhotographs()).map((bytes) => Buffer.from(bytes).toString("base64"));
  const connections = Math.max(warmUp.callers, ...callerCounts);
  const operators = addresses.map((address) => {
    const executes = Array.from({ length: connections }, () => createExecute(address));
    return {
      call: (index: number, caller: number) => executes[caller]!(photos[index % photos.length]!),
      levels: callerCounts.map((callers) => ({ callers, speeds: [] as number[], times: [] as number[] })),
    };
  });
  for (const { call } of operators) await runClosedLoop(call, warmUp.callers, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const level of callerCounts.keys()) {
      for (let turn = 0; turn < operators.length; turn++) {
        const { call, levels } = operators[(round + turn) % operators.length]!;
        const { callers, speeds, times } = levels[level]!;
        const { perSecond, timesMs } = await runClosedLoop(call, callers, { seconds });
        speeds.push(perSecond);
        times.push(...timesMs);
      }
    }
  }
  return operators.map(({ levels }) =>
    levels.map(({ callers, speeds, times }) => ({
      callers,
      perSecond: median(speeds),
      ...percentilesOf(times),
    })),
  );
}
