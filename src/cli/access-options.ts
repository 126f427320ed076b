import type { Command } from "commander";
import type { BearerTokens } from "../node/access/bearer-tokens.ts";
import { openTokensFile } from "../node/access/bearer-tokens-file.ts";
import { type CorsOrigins, parseCorsOrigins } from "../node/access/cors.ts";
import type { Log } from "../node/observe/log.ts";
import { appendList, filePath } from "./common-options.ts";

/** Options of a server about who may call it. */
export interface AccessOptions {
  readonly tokensFile?: string;
  readonly corsOrigins?: readonly string[];
}

export function addAccessOptions(command: Command): Command {
  return command
    .option(
      "--tokens-file <file>",
      "bearer tokens, one a line; calls need one of them; read again when it changes",
      filePath,
    )
    .option(
      "--cors-origins <list>",
      "origins whose scripts in a browser may call, or * for all; comma-separated",
      appendList,
    );
}

/**
 * What the options ask for; without them, anybody may call and no script of another origin.
 * @throws EmbedError `CONFIG_INVALID`
 */
export async function toAccess(
  options: AccessOptions,
  log: Log,
): Promise<{ readonly tokens?: BearerTokens; readonly corsOrigins?: CorsOrigins }> {
  const { tokensFile, corsOrigins } = options;
  return {
    ...(corsOrigins && { corsOrigins: parseCorsOrigins(corsOrigins) }),
    ...(tokensFile !== undefined && { tokens: await openTokensFile({ file: tokensFile, log }) }),
  };
}
