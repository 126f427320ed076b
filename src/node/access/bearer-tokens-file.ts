import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { EmbedError } from "../../errors.ts";
import type { Log } from "../observe/log.ts";
import { type BearerTokens, parseTokens, type TokenHashes } from "./bearer-tokens.ts";
import { lookIntervalMs, lookRegularly } from "./look-regularly.ts";

export interface TokensFile extends BearerTokens {
  /** Reads the file no more; the tokens stay as they are. */
  close(): void;
}

export interface TokensFileOptions {
  readonly file: string;
  readonly log: Pick<Log, "info" | "error">;
  readonly pollMs?: number;
}

/**
 * The tokens of a file, which is followed: new ones hold within `pollMs`, removed ones no longer. A file that
 * cannot be read any more, or holds no good tokens, changes nothing but the log.
 * @throws EmbedError `CONFIG_INVALID`: the file cannot be used at the start
 */
export async function openTokensFile(options: TokensFileOptions): Promise<TokensFile> {
  const { file, log, pollMs = lookIntervalMs } = options;
  let { hashes, digest } = await readTokens(file);

  async function look(): Promise<void> {
    const next = await readTokens(file);
    if (next.digest === digest) return;
    ({ hashes, digest } = next);
    log.info({ file, tokens: hashes.length }, "the bearer tokens were read again");
  }

  const { stop } = lookRegularly({
    look,
    tell: (why) => log.error({ why }, "the bearer tokens stay as they were"),
    intervalMs: pollMs,
  });
  return { current: () => hashes, close: stop };
}

/** The tokens, and a digest of the whole file that shows a change. */
async function readTokens(file: string): Promise<{ hashes: TokenHashes; digest: string }> {
  const where = `--tokens-file ${file}`;
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `${where}: expected a file of bearer tokens that can be read: ${why}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause });
  }
  const digest = createHash("sha256").update(text).digest("hex");
  try {
    return { hashes: parseTokens(text), digest };
  } catch (error) {
    throw new EmbedError("CONFIG_INVALID", `${where}: ${EmbedError.from(error).message}`, { cause: error });
  }
}
