import { isDeepStrictEqual } from "node:util";
import type { HttpLog } from "../http/http-types.ts";
import { tellCertificate } from "./tell-certificate.ts";
import { checkTlsTexts, readTlsTexts, type TlsFiles, type TlsMaterial } from "./tls-files.ts";

/**
 * How often the files are read; they are small. A new certificate is made days before the old one ends, and
 * Kubernetes itself takes about a minute to hand one out.
 */
export const tlsPollIntervalMs = 5_000;

export interface TlsWatchOptions {
  readonly files: TlsFiles;
  /** What is in use now. */
  readonly material: TlsMaterial;
  /** Called with every new material, checked. */
  readonly onChange: (material: TlsMaterial) => void;
  readonly log: HttpLog;
  readonly intervalMs?: number;
}

/**
 * Looks at the texts of the files from time to time, not for events of the file system: Kubernetes swaps a
 * symbolic link two folders up, editors write a new file and rename it, and some mounts tell no events at all.
 * While the files are half-written or do not belong together, what is in use stays; the log says why, once for
 * each such state.
 */
export function watchTlsFiles(options: TlsWatchOptions): { stop(): void } {
  const { files, log } = options;
  let used: object = textsOf(options.material);
  let told = "";
  let isLooking = false;

  async function look(): Promise<void> {
    const texts = await readTlsTexts(files);
    if (isDeepStrictEqual(texts, used)) return;
    const material = checkTlsTexts(texts, files);
    options.onChange(material);
    used = texts;
    tellCertificate(log, "new connections get the new TLS certificate", files.certFile, material.leaf);
  }

  const timer = setInterval(async () => {
    // A look at a slow mount may last longer than the interval.
    if (isLooking) return;
    isLooking = true;
    try {
      await look();
      told = "";
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== told) log("error", "the TLS files changed and cannot be used; the old ones stay", { why });
      told = why;
    } finally {
      isLooking = false;
    }
  }, options.intervalMs ?? tlsPollIntervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function textsOf({ cert, key, clientCa }: TlsMaterial): object {
  return { cert, key, ...(clientCa !== undefined && { clientCa }) };
}
