import { isDeepStrictEqual } from "node:util";
import type { HttpLog } from "../http/http-types.ts";
import { lookIntervalMs, lookRegularly } from "./look-regularly.ts";
import { tellCertificate } from "./tell-certificate.ts";
import { checkTlsTexts, readTlsTexts, type TlsFiles, type TlsMaterial } from "./tls-files.ts";

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
 * Looks at the texts of the files from time to time. While they are half-written or do not belong together, what
 * is in use stays; the log says why, once for each such state.
 */
export function watchTlsFiles(options: TlsWatchOptions): { stop(): void } {
  const { files, log } = options;
  let used: object = textsOf(options.material);

  async function look(): Promise<void> {
    const texts = await readTlsTexts(files);
    if (isDeepStrictEqual(texts, used)) return;
    const material = checkTlsTexts(texts, files);
    options.onChange(material);
    used = texts;
    tellCertificate(log, "new connections get the new TLS certificate", files.certFile, material.leaf);
  }

  return lookRegularly({
    look,
    tell: (why) => log("error", "the TLS files changed and cannot be used; the old ones stay", { why }),
    intervalMs: options.intervalMs ?? lookIntervalMs,
  });
}

function textsOf({ cert, key, clientCa }: TlsMaterial): object {
  return { cert, key, ...(clientCa !== undefined && { clientCa }) };
}
