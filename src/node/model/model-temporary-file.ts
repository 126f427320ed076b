import { randomUUID } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file beside `file` that no other process writes; renamed to `file` once it is whole. */
export function temporaryPath(file: string): string {
  return `${file}.${process.pid}-${randomUUID().slice(0, 8)}.partial`;
}

/**
 * Removes what killed processes left of `file`. Only the holder of the lock calls it, so a file of its own
 * process id is a leftover too: in a container every process may be number 1.
 * @returns how many bytes there were
 */
export async function removeLeftovers(file: string): Promise<number> {
  const folder = dirname(file);
  let bytes = 0;
  for (const name of await readdir(folder)) {
    const pid = pidOfPartial(name, basename(file));
    if (pid === undefined || (pid !== process.pid && isProcessAlive(pid))) continue;
    bytes += (await stat(join(folder, name))).size;
    await rm(join(folder, name), { force: true });
  }
  return bytes;
}

function pidOfPartial(name: string, base: string): number | undefined {
  if (!name.startsWith(`${base}.`)) return undefined;
  const match = /^(\d+)-[0-9a-f]{8}\.partial$/.exec(name.slice(base.length + 1));
  return match ? Number(match[1]) : undefined;
}

/** Whether a process of this machine lives; one that is not ours to signal does. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
