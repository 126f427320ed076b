import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietChromiumFlags } from "../../tools/quiet-chromium.ts";
import type { OpenPeer } from "./engine-process.ts";
import { startPageServer } from "./page-server.ts";

export interface ChromiumPage {
  /** Loads an engine of page/page.ts. */
  open(engine: string): Promise<OpenPeer>;
  close(): Promise<void>;
}

/**
 * A page of its own in a headless Chromium, whose engines get so many threads.
 * @param program path of Chromium
 * @param onnxFile the converted model, for Portico's engine
 */
export async function openChromiumPage(
  program: string,
  onnxFile: string,
  threads: number,
): Promise<ChromiumPage> {
  const server = await startPageServer(onnxFile);
  const profile = await mkdtemp(join(tmpdir(), "portico-chromium-"));
  const args = [...quietChromiumFlags, `--user-data-dir=${profile}`, server.url];
  const child = spawn(program, args, { stdio: "ignore" });
  const gone = once(child, "exit");
  const lost = gone.then(([code]) => Promise.reject(new Error(`Chromium ended with ${code}`)));
  // It ends as asked, too.
  lost.catch(() => undefined);
  const ask = <Reply>(command: object) => Promise.race([server.ask<Reply>({ threads, ...command }), lost]);
  return {
    async open(engine) {
      const { version, loadMs, features } = await ask<{
        version: string;
        loadMs: number;
        features: number[];
      }>({
        engine,
        count: 0,
      });
      return {
        version,
        loadMs,
        features: Float32Array.from(features),
        run: (count) => ask<number[]>({ engine, count }),
        close: async () => undefined,
      };
    },
    async close() {
      child.kill();
      await gone;
      await server.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
