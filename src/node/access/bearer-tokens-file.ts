import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { EmbedError } from "../../errors.ts";
import type { Log } from "../observe/log.ts";
import { type BearerTokens, parseTokens, type TokenHashes } from "./bearer-tokens.ts";

/**
 * How often the file is read again. Watching it would miss changes: Kubernetes swaps a symbolic link two
 * folders above it, and network file systems tell nothing. It is a few lines long, so that reading is cheap.
 */
export const tokensFilePollMs = 5_000;

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
  const { file, log, pollMs = tokensFilePollMs } = options;
  let { hashes, digest } = await readTokens(file);
  /** What is wrong with the file as it is now; told once. */
  let toldError = "";
  let isClosed = false;
  let timer = setTimeout(poll, pollMs).unref();

  async function poll(): Promise<void> {
    try {
      const next = await readTokens(file);
      if (next.digest !== digest) {
        ({ hashes, digest } = next);
        log.info({ file, tokens: hashes.length }, "the bearer tokens were read again");
      }
      toldError = "";
    } catch (error) {
      const { message } = EmbedError.from(error);
      if (message !== toldError) log.error({ why: message }, "the bearer tokens stay as they were");
      toldError = message;
    }
    if (!isClosed) timer = setTimeout(poll, pollMs).unref();
  }

  return {
    current: () => hashes,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
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
