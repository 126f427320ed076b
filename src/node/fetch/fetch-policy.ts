import { EmbedError } from "../../errors.ts";
import type { AddressKind } from "./address-check.ts";

/** What the server fetches on behalf of its callers, and how much of it. */
export interface FetchPolicy {
  /**
   * `public`: any public address, and the hosts of `allowHosts`. `listed`: only the hosts of `allowHosts`.
   * `off`: nothing.
   */
  readonly mode: FetchMode;
  /**
   * Hosts that may be fetched from whatever address they resolve to, cloud metadata services excepted.
   * `HOST:PORT` is that port alone; `HOST` stands for ports 80 and 443. A host is matched whole, in any letter
   * case; there are no wildcards. An IPv6 address stands in brackets.
   */
  readonly allowHosts: readonly string[];
  /**
   * Whether any private address may be fetched, too (`AddressKind` says which those are). Callers can then
   * explore the private network, so `allowHosts` is the better choice wherever the hosts can be named.
   */
  readonly allowPrivate: boolean;
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** Time for one URL in milliseconds: resolving, every redirect and the whole body. Waiting for a slot is not in it. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  /** URLs fetched at once by this process; further ones wait in order. */
  readonly maxConcurrent: number;
  /** Sent as `user-agent`: some hosts (Wikimedia) answer 429 to a client without a name. */
  readonly userAgent: string;
  /** What `--fetch-headers` says, by origin; sent to exactly that scheme, host and port. */
  readonly headersByOrigin: HeadersByOrigin;
}

/** Origins as `new URL().origin` writes them, each with its headers, their names in lower case. */
export type HeadersByOrigin = ReadonlyMap<string, Readonly<Record<string, string>>>;

export const fetchModes = ["public", "listed", "off"] as const;

export type FetchMode = (typeof fetchModes)[number];

/**
 * 25 MiB: what a camera makes, with room. 10 s: slow hosts are served, a stuck one is given up before the
 * caller does. 5 redirects: http to https, to a canonical host, to a CDN, and two to spare. 16 at once: enough
 * to keep a few workers busy, few enough not to look like an attack.
 */
export const defaultFetchPolicy: FetchPolicy = {
  mode: "public",
  allowHosts: [],
  allowPrivate: false,
  maxBytes: 25 * 2 ** 20,
  timeoutMs: 10_000,
  maxRedirects: 5,
  maxConcurrent: 16,
  userAgent: "Portico (image-embedding operator)",
  headersByOrigin: new Map(),
};

/** Where a fetch may go: the part of a `FetchPolicy` that URLs and addresses are checked against. */
export interface FetchRules {
  readonly mode: FetchMode;
  readonly allowPrivate: boolean;
  readonly isAllowed: IsAllowedHost;
}

/** @throws EmbedError `CONFIG_INVALID` for a bad entry of `allowHosts`, or options that contradict each other */
export function toFetchRules({ mode, allowHosts, allowPrivate }: FetchPolicy): FetchRules {
  if (allowPrivate && mode !== "public") {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected --allow-private with --urls public only, got --urls ${mode}`,
    );
  }
  if (mode === "off" && allowHosts.length > 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      "expected --allow-hosts with --urls public or listed, got --urls off",
    );
  }
  if (mode === "listed" && allowHosts.length === 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      "expected at least one host in --allow-hosts with --urls listed, got none",
    );
  }
  return { mode, allowPrivate, isAllowed: parseAllowHosts(allowHosts) };
}

/** Whether strangers may have this kind of address dialled; hosts that the operator named may be more. */
export function isOpenToAll(kind: AddressKind, { allowPrivate }: FetchRules): boolean {
  return kind === "public" || (kind === "private" && allowPrivate);
}

/** Whether the operator named this host and port. `hostname` is as `new URL()` gives it. */
export type IsAllowedHost = (hostname: string, port: number) => boolean;

/**
 * Reads the entries of `--allow-hosts`.
 * @throws EmbedError `CONFIG_INVALID` naming the entry that is neither HOST nor HOST:PORT
 */
export function parseAllowHosts(entries: readonly string[]): IsAllowedHost {
  const allowed = new Set<string>();
  for (const entry of entries) {
    const { hostname, ports } = parseEntry(entry);
    for (const port of ports) allowed.add(`${hostname}:${port}`);
  }
  return (hostname, port) => allowed.has(`${hostname}:${port}`);
}

function parseEntry(entry: string): { hostname: string; ports: readonly number[] } {
  const [, host, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(entry.trim()) ?? [];
  // As in a URL of a request, so that letter case, international names and odd spellings of an address meet.
  const hostname = host && !/[/?#@\\*%\s]/.test(host) ? hostnameOf(host) : undefined;
  if (hostname === undefined || Number(port ?? 80) > 65535 || Number(port ?? 80) === 0) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected HOST or HOST:PORT in --allow-hosts (an IPv6 address in brackets), got ${JSON.stringify(entry)}`,
    );
  }
  return { hostname, ports: port === undefined ? [80, 443] : [Number(port)] };
}

function hostnameOf(host: string): string | undefined {
  return URL.parse(`http://${host}`)?.hostname;
}
