import { type Command, Option } from "commander";
import { createClientCap } from "../node/access/client-caps.ts";
import { clientCapGate } from "../node/access/client-caps-gate.ts";
import { defaultHttpLimits, type HttpLimits } from "../node/http/http-limits.ts";
import type { RequestGate } from "../node/http/request-gate.ts";
import { timerMaxMs } from "../node/timer-max-ms.ts";
import { integerBetween, positiveInteger } from "./common-options.ts";

/** Options of a server about its connections, and how much of it one client may take. */
export interface ConnectionOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerClient?: number;
  readonly maxStreamsPerClient?: number;
  readonly maxConnectionAgeMs?: number;
}

/** A client that connects anew each second works; one that does so more often does little else. */
const leastConnectionAgeMs = 1_000;

export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--max-connections <n>", "connections at once; more are closed as they come")
        .argParser(positiveInteger)
        .default(defaultHttpLimits.maxConnections),
    )
    .option(
      "--max-connections-per-client <n>",
      "the same for one client address; not limited by default, since a proxy is one client",
      positiveInteger,
    )
    .option(
      "--max-streams-per-client <n>",
      "calls in flight of one client address; not limited by default, likewise",
      positiveInteger,
    )
    .option(
      "--max-connection-age-ms <n>",
      "age, a tenth more or less, at which a connection ends once its calls have, so that clients look up addresses again; not limited by default",
      integerBetween(leastConnectionAgeMs, timerMaxMs),
    );
}

export function toConnectionLimits(options: ConnectionOptions): Partial<HttpLimits> {
  const { maxConnections, maxConnectionsPerClient, maxConnectionAgeMs: connectionMaxAgeMs } = options;
  return {
    maxConnections,
    ...(maxConnectionsPerClient !== undefined && { maxConnectionsPerClient }),
    ...(connectionMaxAgeMs !== undefined && { connectionMaxAgeMs }),
  };
}

export function toConnectionGates({ maxStreamsPerClient: max }: ConnectionOptions): readonly RequestGate[] {
  return max === undefined ? [] : [clientCapGate(createClientCap(max), max)];
}
