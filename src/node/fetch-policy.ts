import { EmbedError } from "../errors.ts";

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
  /** Largest body in bytes. */
  readonly maxBytes: number;
  /** Time for one URL in milliseconds: resolving, every redirect and the whole body. Waiting for a slot is not in it. */
  readonly timeoutMs: number;
  readonly maxRedirects: number;
  /** URLs fetched at once by this process; further ones wait in order. */
  readonly maxConcurrent: number;
}

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
  maxBytes: 25 * 2 ** 20,
  timeoutMs: 10_000,
  maxRedirects: 5,
  maxConcurrent: 16,
};

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
