import { readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isProcessAlive, temporaryPath } from "./model-temporary-file.ts";

/** The holder renews its lock this often... */
const renewMs = 2_000;
/** ...and is held for dead after this silence: a machine that swaps may be late. */
const staleMs = 20_000;
const pollMs = 200;

interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once if another process holds the lock. */
  readonly onWait?: (owner: LockOwner) => void;
}

export interface LockOwner {
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `work` while no other process holds the lock file. The lock only saves work: even if two held it, each
 * writes to a file of its own name and renames it when it is whole.
 * @throws whatever `work` throws; the signal's reason; file system errors if the folder cannot be written
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  await acquire(file, options);
  const renew = setInterval(() => {
    const now = new Date();
    // If this fails the lock is gone: another took it for stale, and the result is still right.
    utimes(file, now, now).catch(() => undefined);
  }, renewMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(renew);
    await rm(file, { force: true });
  }
}

async function acquire(file: string, { signal, onWait }: LockOptions): Promise<void> {
  const content = JSON.stringify({ pid: process.pid, host: hostname() } satisfies LockOwner);
  let waits = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await writeFile(file, content, { flag: "wx" });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const owner = await readOwner(file);
    if (owner === "gone") continue;
    if (owner === "stale") {
      await takeAway(file);
      continue;
    }
    if (!waits) onWait?.(owner);
    waits = true;
    await sleep(pollMs, undefined, { ...(signal && { signal }) });
  }
}

async function readOwner(file: string): Promise<LockOwner | "stale" | "gone"> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
    if (Date.now() - mtimeMs > staleMs) return "stale";
    // Between its making and its writing a lock is empty for a moment.
    if (text === "") return { pid: 0, host: "" };
    const owner = JSON.parse(text) as LockOwner;
    return owner.host === hostname() && !isProcessAlive(owner.pid) ? "stale" : owner;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
    throw error;
  }
}

/** Renamed first: of two that find a stale lock only one removes it. */
async function takeAway(file: string): Promise<void> {
  const away = temporaryPath(file);
  try {
    await rename(file, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  await rm(away, { force: true });
}
