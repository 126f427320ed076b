import { write, writeSync } from "node:fs";
import { createRareLog } from "./rare-log.ts";

/** Where log lines go; what pino asks for. */
export interface LogDestination {
  write(line: string): void;
  /** Writes what is left, as far as that goes without waiting for a reader; for the end of the process. */
  flush(): void;
}

/** Beyond so many characters that nobody has read, lines are dropped: no reader of logs may stop the calls. */
const unreadMaxLength = 4 * 2 ** 20;

/** A pipe that is full is tried again after this long. */
const retryMs = 50;
/** How often it is at the end of the process: a reader has so many `retryMs` to catch up. */
const lastRetries = 10;
/** What a write in another thread gets to end before the process does. */
const lastWriteMs = 20;

/**
 * Writes lines to a file descriptor beside the work, one write at a time. A reader that has gone, or a disk that is full,
 * costs lines and nothing else. (Pino's own destination, sonic-boom 4.2, waits for ever in its last flush where a disk
 * is full, and a write that fails ends the process.)
 * @param tell of lines that could not be written, at most once a minute
 */
export function createLogDestination(fd: number, tell: (message: string) => void): LogDestination {
  let lines: string[] = [];
  let length = 0;
  /** What is being written, less what was. */
  let current = Buffer.alloc(0);
  let state: "idle" | "scheduled" | "writing" = "idle";
  let isGone = false;
  const tellRarely = createRareLog((_level, message) => tell(message));

  function takeLines(): Buffer<ArrayBuffer> {
    const taken = Buffer.from(lines.join(""));
    lines = [];
    length = 0;
    return taken;
  }

  /** @returns whether the same bytes may be tried again */
  function isTemporary(error: NodeJS.ErrnoException): boolean {
    if (error.code === "EAGAIN") return true;
    // The reader has gone, and nobody comes back to a pipe.
    if (error.code === "EPIPE") isGone = true;
    else tellRarely("warn", `portico: log lines were lost: ${error.message}`, {});
    return false;
  }

  function writeNext(): void {
    if (current.length === 0) current = takeLines();
    state = current.length === 0 ? "idle" : "writing";
    if (state === "idle") return;
    write(fd, current, (error, written) => {
      const isLater = error !== null && isTemporary(error);
      if (error === null) current = current.subarray(written);
      else if (!isLater) current = Buffer.alloc(0);
      if (isLater) setTimeout(writeNext, retryMs);
      else writeNext();
    });
  }

  return {
    write(line) {
      if (isGone || length + line.length > unreadMaxLength) return;
      lines.push(line);
      length += line.length;
      // Not at once: a process that ends in this turn writes them itself.
      if (state === "idle") {
        state = "scheduled";
        setImmediate(writeNext);
      }
    },
    flush() {
      if (state === "writing") pause(lastWriteMs);
      let rest = takeLines();
      for (let retry = 0; rest.length > 0 && retry < lastRetries; ) {
        try {
          rest = rest.subarray(writeSync(fd, rest));
        } catch (error) {
          if (!isTemporary(error as NodeJS.ErrnoException)) return;
          retry += 1;
          pause(retryMs);
        }
      }
    },
  };
}

/** Holds this thread. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
