import { readFile, writeFile } from "node:fs/promises";

/** What proc(5) tells of memory, by the file that holds it. */
const files = { VmRSS: "status", VmHWM: "status", Rss: "smaps_rollup", Anonymous: "smaps_rollup" } as const;

/** Of another process, in bytes: VmRSS and Rss now, VmHWM at most so far, Anonymous of no file. Linux only. */
export async function readMemory(pid: number, what: keyof typeof files): Promise<number> {
  const file = `/proc/${pid}/${files[what]}`;
  const kilobytes = new RegExp(`^${what}:\\s+(\\d+) kB$`, "m").exec(await readFile(file, "utf8"))?.[1];
  if (kilobytes === undefined) throw new Error(`expected ${what} in ${file}`);
  return Number(kilobytes) * 1024;
}

/** Makes VmHWM begin anew at what is held now (proc(5), clear_refs). */
export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}
