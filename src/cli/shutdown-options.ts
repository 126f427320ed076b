import { type Command, InvalidArgumentError } from "commander";
import { milliseconds } from "./common-options.ts";

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
    .option("--grace-ms <n>", "time that calls in flight get at shutdown", milliseconds, defaultGraceMs);
}

function millisecondsOrNone(text: string): number {
  if (text === "0") return 0;
  try {
    return milliseconds(text);
  } catch {
    throw new InvalidArgumentError(`expected an integer from 0 to ${2 ** 31 - 1}, got "${text}"`);
  }
}
