import { type LookupAddress, lookup } from "node:dns";
import { Resolver } from "node:dns/promises";
import { promisify } from "node:util";
import { settleBefore } from "../../embed/settle-before.ts";
import { createSlots } from "./fetch-slots.ts";

/** Every address of a name. Rejects if it has none, or once `signal` is aborted. */
export type ResolveName = (hostname: string, options: ResolveOptions) => Promise<readonly LookupAddress[]>;

export interface ResolveOptions {
  /**
   * True for hosts of the operator's own: as every program of this machine resolves them, with /etc/hosts, search
   * domains and whatever else the system is set up with. False for names that strangers choose: DNS alone.
   */
  readonly asSystem: boolean;
  readonly signal: AbortSignal;
}

/**
 * The system's resolver (getaddrinfo) holds a thread of libuv's pool for as long as it takes, ten seconds and more
 * with a name server that does not answer, and cannot be stopped. libuv gives such calls half of its four threads,
 * so that files are still read; more at once would only wait in its queue, for callers long gone.
 */
const mostSystemLookups = 2;

/**
 * How long the second address family is waited for once the first is known (RFC 8305 section 3 asks for a wait, and
 * says 50 ms for a page that a person looks at). Some name servers never answer for IPv6.
 */
const secondFamilyMs = 1000;

/** RFC 6761 section 6.3: loopback, which no name server is asked for. */
const localhost = /(^|\.)localhost\.?$/;

/** What a test replaces. */
export interface ResolveAbilities {
  readonly lookupAll: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Name servers as `dns.setServers` takes them; undefined for the system's. */
  readonly servers?: readonly string[];
}

/** One lookup of the system's resolver, shared by all that want the name at the moment. */
interface SystemLookup {
  readonly answer: Promise<readonly LookupAddress[]>;
  callers: number;
  /** Called when the last caller has gone. */
  readonly leave: () => void;
}

const lookupWith = promisify(lookup);

const ownAbilities: ResolveAbilities = { lookupAll: (hostname) => lookupWith(hostname, { all: true }) };

/**
 * Names that strangers choose are asked for over sockets: that takes no thread, ends with its caller, and a slow
 * name makes no other wait. The system's resolver can do none of this, so it only serves hosts that the operator
 * trusts, a few at once, each name once.
 */
export function createResolveName({ lookupAll, servers }: ResolveAbilities = ownAbilities): ResolveName {
  const inSlot = createSlots(mostSystemLookups);
  const running = new Map<string, SystemLookup>();

  async function askSystem(hostname: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const entry = running.get(hostname) ?? startLookup(hostname);
    entry.callers += 1;
    try {
      return await settleBefore(entry.answer, signal);
    } finally {
      entry.callers -= 1;
      if (entry.callers === 0) entry.leave();
    }
  }

  function startLookup(hostname: string): SystemLookup {
    const waiting = new AbortController();
    let begun = false;
    const forget = () => {
      if (running.get(hostname) === entry) running.delete(hostname);
    };
    const answer = inSlot(() => {
      begun = true;
      return lookupAll(hostname);
    }, waiting.signal).finally(forget);
    // A lookup that has begun goes on for the name's next caller: it holds its thread anyway.
    const leave = () => {
      if (begun) return;
      forget();
      waiting.abort();
    };
    // Its callers may all have gone, and a rejection that nobody looks at ends the process.
    answer.catch(() => undefined);
    const entry: SystemLookup = { answer, callers: 0, leave };
    running.set(hostname, entry);
    return entry;
  }

  async function askDns(hostname: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    signal.throwIfAborted();
    if (localhost.test(hostname)) return alternate(["127.0.0.1"], ["::1"]);
    const resolver = new Resolver();
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel);
    const found: { readonly v4: string[]; readonly v6: string[] } = { v4: [], v6: [] };
    const queries = [
      resolver.resolve4(hostname).then((list) => void found.v4.push(...list)),
      resolver.resolve6(hostname).then((list) => void found.v6.push(...list)),
    ];
    let timer: NodeJS.Timeout | undefined;
    try {
      await Promise.any(queries);
      await Promise.race([
        Promise.allSettled(queries),
        new Promise((resolve) => {
          timer = setTimeout(resolve, secondFamilyMs);
        }),
      ]);
      return alternate(found.v4, found.v6);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      cancel();
    }
  }

  return (hostname, { asSystem, signal }) => (asSystem ? askSystem : askDns)(hostname, signal);
}

/** IPv4 first: hosts of pictures have it, and a machine may have IPv6 that leads nowhere. */
function alternate(v4: readonly string[], v6: readonly string[]): LookupAddress[] {
  const addresses: LookupAddress[] = [];
  for (let i = 0; i < Math.max(v4.length, v6.length); i++) {
    if (i < v4.length) addresses.push({ address: v4[i]!, family: 4 });
    if (i < v6.length) addresses.push({ address: v6[i]!, family: 6 });
  }
  return addresses;
}
