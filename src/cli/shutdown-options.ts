import type { Command } from "commander";
import { millisecondsOrNone } from "./common-options.ts";

/** How a server stops. Times are in milliseconds. */
export interface ShutdownOptions {
  readonly shutdownDelayMs: number;
  readonly graceMs: number;
}

/** 30 s: what Kubernetes gives a pod by default, and a batch of a hundred pictures takes. */
const defaultGraceMs = 30_000;

/** None: who stops a server by hand does not want to wait. Kubernetes wants about 5 s, see the option's text. */
const defaultShutdownDelayMs = 0;

export function addShutdownOptions(command: Command): Command {
  return command
    .option(
      "--shutdown-delay-ms <n>",
      "time at shutdown in which new calls are still taken though health says NOT_SERVING, for load balancers to notice; part of no grace",
      millisecondsOrNone,
      defaultShutdownDelayMs,
    )
    .option(
      "--grace-ms <n>",
      "longest time from there to the end; calls in flight get all of it but the last second (of less than 2 s: half), which is for the answers to those that did not end; 0 cuts them off at once",
      millisecondsOrNone,
      defaultGraceMs,
    );
}
