import { availableParallelism, cpus } from "node:os";

export interface ThroughputOptions {
  readonly rounds: number;
  /** Photographs of one round. */
  readonly pictures: number;
  readonly callers: number;
  readonly workers: number;
}

export interface ThroughputReport extends ThroughputOptions {
  /** Photographs per second: the median of the rounds. */
  readonly loop: number;
  /** Milliseconds of processor time for one photograph, all threads together. */
  readonly loopCpuMs: number;
  readonly execute: Compared;
  readonly embed: Compared;
  readonly identityIdleP50Ms: number;
}

export interface Compared {
  readonly perSecond: number;
  /** Of this to the loop in the same round: median, least and most. */
  readonly ratio: number;
  readonly ratioMin: number;
  readonly ratioMax: number;
  /** Of the server's process alone. */
  readonly cpuMs: number;
}

/** As a table for people. */
export function printThroughput(report: ThroughputReport): void {
  const { rounds, pictures, callers, workers, loop, loopCpuMs, execute, embed } = report;
  const row = (name: string, perSecond: number, cpuMs: number, of = "") =>
    console.log(
      `${name.padEnd(18)} ${perSecond.toFixed(2).padStart(10)} ${cpuMs.toFixed(1).padStart(10)}   ${of}`,
    );
  const percent = (ratio: number) => (100 * ratio).toFixed(1);
  const ofLoop = ({ ratio, ratioMin, ratioMax, cpuMs }: Compared) =>
    `${percent(ratio)} % of the loop's speed (${percent(ratioMin)} to ${percent(ratioMax)} %), ${percent(cpuMs / loopCpuMs)} % of its processor time`;
  console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.versions.node}`);
  console.log(`${rounds} rounds of ${pictures} photographs, ${callers} callers, ${workers} workers`);
  console.log(`${"".padEnd(18)} ${"photos/s".padStart(10)} ${"CPU ms".padStart(10)}`);
  row("pool, no server", loop, loopCpuMs);
  row("Execute over gRPC", execute.perSecond, execute.cpuMs, ofLoop(execute));
  row("Embed over gRPC", embed.perSecond, embed.cpuMs, ofLoop(embed));
  console.log(`Identity, idle: p50 ${report.identityIdleP50Ms.toFixed(1)} ms`);
}
