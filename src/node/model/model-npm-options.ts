import { dirname, join } from "node:path";
import Config from "@npmcli/config";
import npm from "@npmcli/config/lib/definitions/index.js";
import { EmbedError } from "../../errors.ts";
import { homeFolder } from "../home-folder.ts";

/**
 * The user's npm configuration (registry, proxy, credentials, certificates, cache, offline...) as options for
 * pacote, read as npm reads it: environment, then the project's, the user's and the global `npmrc`.
 * @throws EmbedError `CONFIG_INVALID` if npm's reader refuses it
 */
export async function readNpmOptions(): Promise<Record<string, unknown>> {
  // Under `npm run` these two name the user's npm, whose prefix holds the global npmrc; Node may be another.
  const { npm_node_execpath: execPath = process.execPath, npm_execpath: npmCli } = process.env;
  const config = new Config({
    ...npm,
    npmPath: npmCli ? dirname(dirname(npmCli)) : join(dirname(execPath), "..", "lib", "node_modules", "npm"),
    // Copies: npm's reader writes to the environment, and our own command line is none of npm's.
    env: { ...process.env, HOME: process.env.HOME || homeFolder() },
    argv: [],
    execPath,
    warn: false,
  });
  try {
    await config.load();
  } catch (cause) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `npm's configuration cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
  const { retry, preferOnline, ...options } = config.flat;
  return {
    ...options,
    preferOnline,
    // What npm's cache holds is taken without asking whether it is fresh: a pinned hash decides.
    preferOffline: !preferOnline,
    retry: { ...(retry as object), ...soonerRetry(config) },
  };
}

/**
 * npm waits 10 s and then 60 s before it tries again. For one package it is kinder to say soon that it failed,
 * unless the user has set these times.
 */
function soonerRetry(config: Config): { minTimeout?: number; maxTimeout?: number } {
  return {
    ...(config.isDefault("fetch-retry-mintimeout") && { minTimeout: 500 }),
    ...(config.isDefault("fetch-retry-maxtimeout") && { maxTimeout: 2_000 }),
  };
}
