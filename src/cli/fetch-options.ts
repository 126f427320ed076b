import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError, Option } from "commander";
import { EmbedError } from "../errors.ts";
import { isHeaderValue, parseFetchHeaders } from "../node/fetch/fetch-headers.ts";
import {
  defaultFetchPolicy,
  type FetchMode,
  type FetchPolicy,
  fetchModes,
  toFetchRules,
} from "../node/fetch/fetch-policy.ts";
import { appendList, milliseconds, positiveInteger } from "./common-options.ts";

/** Options of every command that fetches pictures from URLs. */
export interface FetchOptions {
  readonly urls: FetchMode;
  readonly allowHosts?: readonly string[];
  readonly allowPrivate?: boolean;
  readonly fetchTimeoutMs: number;
  readonly fetchMaxRedirects: number;
  readonly maxConcurrentFetches: number;
  readonly fetchHeaders?: string;
  readonly fetchUserAgent: string;
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
      "--allow-private",
      "fetch any private address (10.x, 172.16-31.x, 192.168.x, 100.64-127.x, fc00::/7); not this machine's own, loopback, link-local or metadata services; prefer --allow-hosts",
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
      redirects,
      defaultFetchPolicy.maxRedirects,
    )
    .option(
      "--max-concurrent-fetches <n>",
      "URLs fetched at once; others wait in order",
      positiveInteger,
      defaultFetchPolicy.maxConcurrent,
    )
    .option(
      "--fetch-headers <file>",
      'JSON with headers by origin, sent to exactly that one: {"https://cdn.example": {"authorization": "..."}}',
    )
    .option(
      "--fetch-user-agent <text>",
      "sent with each fetch; some hosts want a contact in it",
      headerText,
      defaultFetchPolicy.userAgent,
    )
    .addOption(
      new Option("--max-image-bytes <n>", "largest encoded picture")
        .argParser(positiveInteger)
        .default(defaultFetchPolicy.maxBytes, `${defaultFetchPolicy.maxBytes / 2 ** 20} MiB`),
    );
}

/**
 * @throws EmbedError `CONFIG_INVALID` for a file of `--fetch-headers` that cannot be read or is wrong, a bad entry
 *   of `--allow-hosts`, or options that contradict each other
 */
export function toFetchPolicy(options: FetchOptions): FetchPolicy {
  const { fetchHeaders } = options;
  const policy: FetchPolicy = {
    mode: options.urls,
    allowHosts: options.allowHosts ?? [],
    allowPrivate: options.allowPrivate ?? false,
    maxBytes: options.maxImageBytes,
    timeoutMs: options.fetchTimeoutMs,
    maxRedirects: options.fetchMaxRedirects,
    maxConcurrent: options.maxConcurrentFetches,
    userAgent: options.fetchUserAgent,
    headersByOrigin:
      fetchHeaders === undefined
        ? defaultFetchPolicy.headersByOrigin
        : parseFetchHeaders(readHeadersFile(fetchHeaders), fetchHeaders),
  };
  // A wrong policy is refused here already, before a command does or says anything.
  toFetchRules(policy);
  return policy;
}

function readHeadersFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new EmbedError("CONFIG_INVALID", `expected a file in --fetch-headers, got ${file} (${code})`, {
      cause,
    });
  }
}

/** A number of redirects, 0 for none at all. */
function redirects(text: string): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`expected an integer from 0 to 999, got "${text}"`);
}

function headerText(text: string): string {
  if (isHeaderValue(text)) return text;
  throw new InvalidArgumentError("expected printable characters in one line");
}
