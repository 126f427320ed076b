import { type LevelWithSilent, type Logger, pino } from "pino";
import pretty from "pino-pretty";

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

/** Structured logs on stdout: JSON lines, or readable ones where a person looks at a terminal. */
export function createLog(level: LogLevel): Log {
  const stream = process.stdout.isTTY
    ? pretty({ sync: true, ignore: "pid,hostname", translateTime: "HH:MM:ss.l" })
    : pino.destination({ dest: 1, sync: true });
  return pino({ level, base: { pid: process.pid } }, stream);
}
