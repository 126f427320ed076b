import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds `dist`, which is what users run: its start and its memory are measured. Ends this process if it cannot. */
export function buildDist(): void {
  const cwd = fileURLToPath(new URL("../", import.meta.url));
  const { status } = spawnSync(process.execPath, ["tools/build.ts"], { cwd, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
