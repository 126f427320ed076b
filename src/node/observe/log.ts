import { createRequire } from "node:module";
import { type LevelWithSilent, type Logger, pino } from "pino";
import type pretty from "pino-pretty";
import { createLogDestination, type LogDestination } from "./log-destination.ts";
import { currentRequest } from "./request-record.ts";

export type Log = Logger;

export const logLevels = [
  "fatal",
  "error",
  "warn",
  "info",
  "debug",
  "silent",
] as const satisfies readonly LevelWithSilent[];

export type LogLevel = (typeof logLevels)[number];

/**
 * Structured logs on stdout: JSON lines, or readable ones where a person looks at a terminal. Each line of a
 * request holds its id and that of its trace. Lines are written beside the work and at the end of the process,
 * so that a slow reader makes no call wait.
 */
export function createLog(level: LogLevel): Log {
  const stream = process.stdout.isTTY ? openPretty() : openStdout();
  return pino(
    {
      level,
      base: { pid: process.pid },
      mixin: requestFields,
      // Pino knows the name `err` only, and would write {} for any other.
      serializers: { error: pino.stdSerializers.err },
    },
    stream,
  );
}

/** Loaded where it is needed: thirty modules that a server in a container has no use for. */
function openPretty() {
  const open = createRequire(import.meta.url)("pino-pretty") as typeof pretty;
  return open({ sync: true, ignore: "pid,hostname", translateTime: "HH:MM:ss.l" });
}

function openStdout(): LogDestination {
  const destination = createLogDestination(1, (message) => process.stderr.write(`${message}\n`));
  process.on("exit", destination.flush);
  return destination;
}

function requestFields(): object {
  const record = currentRequest();
  return record ? { requestId: record.requestId, traceId: record.trace.traceId } : {};
}
