import { type Command, Option } from "commander";
import { defaultFetchPolicy, type FetchMode, type FetchPolicy, fetchModes } from "../node/fetch-policy.ts";
import { appendList, milliseconds, positiveInteger } from "./common-options.ts";

/** Options of every command that fetches pictures from URLs. */
export interface FetchOptions {
  readonly urls: FetchMode;
  readonly allowHosts?: readonly string[];
  readonly fetchTimeoutMs: number;
  readonly fetchMaxRedirects: number;
  readonly maxImageBytes: number;
}

export function addFetchOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--urls <mode>", "what may be fetched: public addresses, only --allow-hosts, or nothing")
        .choices(fetchModes)
        .default(defaultFetchPolicy.mode),
    )
    .option(
      "--allow-hosts <list>",
      "HOST or HOST:PORT that may be fetched though not public; comma-separated",
      appendList,
    )
    .option(
      "--fetch-timeout-ms <n>",
      "time for one URL, redirects and body included",
      milliseconds,
      defaultFetchPolicy.timeoutMs,
    )
    .option(
      "--fetch-max-redirects <n>",
      "redirects that are followed; each one is checked like the first",
      positiveInteger,
      defaultFetchPolicy.maxRedirects,
    )
    .addOption(
      new Option("--max-image-bytes <n>", "largest encoded picture")
        .argParser(positiveInteger)
        .default(defaultFetchPolicy.maxBytes, `${defaultFetchPolicy.maxBytes / 2 ** 20} MiB`),
    );
}

export function toFetchPolicy(options: FetchOptions): FetchPolicy {
  return {
    ...defaultFetchPolicy,
    mode: options.urls,
    allowHosts: options.allowHosts ?? [],
    maxBytes: options.maxImageBytes,
    timeoutMs: options.fetchTimeoutMs,
    maxRedirects: options.fetchMaxRedirects,
  };
}
