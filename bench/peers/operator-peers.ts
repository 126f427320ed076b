import { availableParallelism } from "node:os";
import { type CallersLatency, executeInTurns } from "../execute-in-turns.ts";
import type { Skipped } from "../open-engines.ts";
import { readPhotographs } from "../photographs.ts";
import { type Spread, spreadOf } from "../statistics.ts";
import { listOperators, type OperatorPeer, type RunningOperator, startOperator } from "./operators.ts";
import { findMissing } from "./peer-files.ts";
import { readTreeMemory } from "./process-tree.ts";

/**
 * Whole operators over gRPC Execute with base64 photographs: Portico, and the original after the tutorial (Python, tf_keras).
 * Each is started several times in turns; then all run and are called in turns.
 */

export interface OperatorPeersOptions {
  readonly starts: number;
  readonly rounds: number;
  /** Of one turn of one operator with one number of callers. */
  readonly seconds: number;
}

export interface OperatorPeersReport extends OperatorPeersOptions {
  readonly workers: number;
  readonly operators: readonly OperatorFigures[];
  readonly skipped: readonly Skipped[];
}

export interface OperatorFigures {
  readonly name: string;
  /** Without the paths of this machine. */
  readonly command: string;
  /** From the process to the first vector. */
  readonly start: Spread;
  /** Resident, of all of its processes, after the last round. */
  readonly memoryBytes: number;
  readonly byCallers: readonly CallersLatency[];
}

const callerCounts = [1, 4] as const;

export async function measureOperatorPeers(options: OperatorPeersOptions): Promise<OperatorPeersReport> {
  const workers = availableParallelism();
  const { there, skipped } = splitByNeeds(listOperators(workers));
  const photo = Buffer.from((await readPhotographs())[0]!).toString("base64");
  const startsMs = there.map((): number[] => []);
  for (let start = 1; start < options.starts; start++) {
    for (const [place, peer] of there.entries()) {
      const operator = await startOperator(peer, photo);
      startsMs[place]!.push(operator.startMs);
      await operator.stop();
    }
  }
  const running: RunningOperator[] = [];
  try {
    for (const [place, peer] of there.entries()) {
      const operator = await startOperator(peer, photo);
      running.push(operator);
      startsMs[place]!.push(operator.startMs);
    }
    const addresses = running.map(({ address }) => address);
    const figures = await executeInTurns(addresses, { ...options, callerCounts });
    const memory = await Promise.all(running.map(({ pid }) => readTreeMemory(pid)));
    const operators = there.map(({ name, command }, place) => ({
      name,
      command,
      start: spreadOf(startsMs[place]!),
      memoryBytes: memory[place]!,
      byCallers: figures[place]!,
    }));
    return { ...options, workers, operators, skipped };
  } finally {
    await Promise.all(running.map((operator) => operator.stop()));
  }
}

function splitByNeeds(peers: readonly OperatorPeer[]) {
  const there: OperatorPeer[] = [];
  const skipped: Skipped[] = [];
  for (const peer of peers) {
    const needs = findMissing(peer.needs);
    if (needs === undefined) there.push(peer);
    else {
      console.log(`${peer.name}: skipped: needs ${needs}`);
      skipped.push({ name: peer.name, needs });
    }
  }
  return { there, skipped };
}
