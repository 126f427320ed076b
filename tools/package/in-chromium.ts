import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** It talks to loopback alone, draws nothing, and never slows a page down that nobody looks at. */
const flags = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

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
  const child = spawn(program, [...flags, `--user-data-dir=${profile}`, url], { stdio: "ignore" });
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
