import { type Command, Option } from "commander";
import { createClientCap } from "../node/access/client-caps.ts";
import { clientCapGate } from "../node/access/client-caps-gate.ts";
import { defaultHttpLimits, type HttpLimits } from "../node/http/http-limits.ts";
import type { RequestGate } from "../node/http/request-gate.ts";
import { positiveInteger } from "./common-options.ts";

/** Options of a server about how much of it one client may take. */
export interface ConnectionOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerClient?: number;
  readonly maxStreamsPerClient?: number;
}

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
    );
}

export function toConnectionLimits(options: ConnectionOptions): Partial<HttpLimits> {
  const { maxConnections, maxConnectionsPerClient } = options;
  return { maxConnections, ...(maxConnectionsPerClient !== undefined && { maxConnectionsPerClient }) };
}

export function toConnectionGates({ maxStreamsPerClient: max }: ConnectionOptions): readonly RequestGate[] {
  return max === undefined ? [] : [clientCapGate(createClientCap(max), max)];
}
