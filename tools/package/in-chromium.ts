import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietChromiumFlags } from "../quiet-chromium.ts";

/**
 * Opens a URL in a Chromium of its own until `done` settles.
 * @throws Error if Chromium ends before, or after `timeoutMs`
 */
export async function inChromium<T>(
  program: string,
  url: string,
  done: Promise<T>,
  timeoutMs: number,
): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), "portico-chromium-"));
  const child = spawn(program, [...quietChromiumFlags, `--user-data-dir=${profile}`, url], {
    stdio: "ignore",
  });
  const gone = once(child, "exit");
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error(`no report within ${timeoutMs} ms`)), timeoutMs);
  try {
    const lost = gone.then(([code]) => Promise.reject(new Error(`Chromium ended with ${code}`)));
    return await Promise.race([done, lost, timeout.promise]);
  } finally {
    clearTimeout(timer);
    child.kill();
    await gone;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
