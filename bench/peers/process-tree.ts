import { readFile } from "node:fs/promises";
import { readMemory } from "../../tools/load/process-memory.ts";

/** Resident memory of a process and all that it started, in bytes. Linux only; what they share counts for each. */
export async function readTreeMemory(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  const below = children.split(" ").filter((text) => text !== "");
  const sizes = await Promise.all(below.map((child) => readTreeMemory(Number(child))));
  return sizes.reduce((sum, size) => sum + size, await readMemory(pid, "VmRSS"));
}
