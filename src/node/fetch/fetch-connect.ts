import type { LookupAddress } from "node:dns";
import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import { buildConnector } from "undici";
import { checkAddress } from "./address-check.ts";
import { type FetchRules, isOpenToAll } from "./fetch-policy.ts";
import { createResolveName, type ResolveName } from "./fetch-resolve.ts";
import { isLiteral } from "./fetch-url-check.ts";

/** How names are resolved and addresses dialled; tests put stubs here. */
export interface Dial {
  readonly resolve: ResolveName;
  /** Opens a connection to one of `addresses`, and to nothing else. */
  readonly connect: (
    target: buildConnector.Options,
    addresses: readonly LookupAddress[],
    timeoutMs: number,
    callback: buildConnector.Callback,
  ) => void;
  /** Whether this machine has the address: what listens on all interfaces answers there as on loopback. */
  readonly isOwnAddress: (address: LookupAddress) => boolean;
}

/**
 * Plain TCP or TLS over HTTP/1.1. The name stays the one that TLS verifies, yet only addresses that were
 * checked are dialled: a second answer of a resolver that has changed its mind is never asked for.
 */
export const nodeDial: Dial = {
  resolve: createResolveName(),
  connect: (target, addresses, timeoutMs, callback) => {
    const connect = buildConnector({
      allowH2: false,
      maxCachedSessions: 0,
      timeout: timeoutMs,
      autoSelectFamily: true,
      // Node's default of 250 ms gives up on hosts that are merely far away.
      autoSelectFamilyAttemptTimeout: 1000,
      lookup: (_hostname, options, answer) => {
        if (options.all) answer(null, [...addresses]);
        else answer(null, addresses[0]!.address, addresses[0]!.family);
      },
    });
    connect(target, callback);
  },
  isOwnAddress: ({ address, family }) => {
    const own = new BlockList();
    for (const { address, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
      own.addAddress(address, family === "IPv6" ? "ipv6" : "ipv4");
    }
    return own.check(address, family === 6 ? "ipv6" : "ipv4");
  },
};

/**
 * Addresses of one name that are dialled, the first ones of its answer. A real host has fewer; a hostile name
 * server could list thousands, to have each of them knocked at.
 */
const mostAddresses = 8;

/** Thrown inside a connection attempt: the name has an address that is not to be dialled. For the log only. */
export class BlockedAddress extends Error {}

/** Thrown inside a connection attempt: the name has no address. */
export class UnresolvedHost extends Error {}

/**
 * A connect function for undici that dials nothing but checked addresses. Literals are checked as they
 * stand, since no lookup is ever made for them; of a name *every* answer must pass, since any of them may be
 * dialled. A host that the operator named may have any address but a metadata service's.
 */
export function createGuardedConnect(
  dial: Dial,
  rules: FetchRules,
  timeoutMs: number,
  signal: AbortSignal,
): buildConnector.connector {
  async function checkedAddresses(hostname: string, port: number): Promise<readonly LookupAddress[]> {
    const literal = isLiteral(hostname);
    const named = rules.isAllowed(hostname.includes(":") ? `[${hostname}]` : hostname, port);
    const answers = literal
      ? [{ address: hostname, family: hostname.includes(":") ? 6 : 4 }]
      : await dial
          .resolve(hostname, { asSystem: named || rules.allowPrivate, signal })
          .catch((cause: unknown) => {
            throw new UnresolvedHost(`${hostname} was not resolved`, { cause });
          });
    if (answers.length === 0) throw new UnresolvedHost(`${hostname} has no address`);
    for (const [index, answer] of answers.entries()) {
      const { kind, why } = checkAddress(answer.address);
      // A metadata service is only reached by its own address, spelled out by the operator.
      if (named && (kind !== "metadata" || literal)) continue;
      const blocked = (what: string) => new BlockedAddress(`${hostname} is ${answer.address} (${what})`);
      if (!isOpenToAll(kind, rules)) throw blocked(why);
      // --allow-private means other machines: services of this one are often open on its private address.
      const isDialled = index < mostAddresses;
      if (kind === "private" && isDialled && dial.isOwnAddress(answer))
        throw blocked("an address of this machine");
    }
    return answers.slice(0, mostAddresses);
  }

  return (target, callback) => {
    const port = Number(target.port || (target.protocol === "https:" ? 443 : 80));
    checkedAddresses(target.hostname, port).then(
      (addresses) => {
        // The resolver may have taken all the time there was; nothing is dialled for a caller who has gone.
        if (signal.aborted) callback(new Error("aborted before dialling"), null);
        else dial.connect(target, addresses, timeoutMs, callback);
      },
      (error: Error) => callback(error, null),
    );
  };
}
