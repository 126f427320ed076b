import { type LookupAddress, lookup } from "node:dns";
import { promisify } from "node:util";
import { buildConnector } from "undici";
import { checkAddress } from "./address-check.ts";
import type { IsAllowedHost } from "./fetch-policy.ts";
import { isLiteral } from "./fetch-url-check.ts";

/** How names are resolved and addresses dialled; tests put stubs here. */
export interface Dial {
  /** Every address of a name. Rejects if it has none. */
  readonly resolve: (hostname: string) => Promise<readonly LookupAddress[]>;
  /** Opens a connection to one of `addresses`, and to nothing else. */
  readonly connect: (
    target: buildConnector.Options,
    addresses: readonly LookupAddress[],
    timeoutMs: number,
    callback: buildConnector.Callback,
  ) => void;
}

const lookupAll = promisify(lookup);

/**
 * The system's own resolver, so that /etc/hosts and the names of a container network work; plain TCP or TLS
 * over HTTP/1.1. The name stays the one that TLS verifies, yet only addresses that were checked are dialled:
 * a second answer of a resolver that has changed its mind is never asked for.
 */
export const nodeDial: Dial = {
  resolve: (hostname) => lookupAll(hostname, { all: true }),
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
};

/** Thrown inside a connection attempt: the name has an address that is not to be dialled. For the log only. */
export class BlockedAddress extends Error {}

/** Thrown inside a connection attempt: the name has no address. */
export class UnresolvedHost extends Error {}

/**
 * A connect function for undici that dials nothing but checked addresses. Literals are checked as they
 * stand, since no lookup is ever made for them; of a name *every* answer must pass, since any of them may be
 * dialled. A host that the operator named may be private, but no metadata service.
 */
export function createGuardedConnect(
  dial: Dial,
  isAllowed: IsAllowedHost,
  timeoutMs: number,
  signal: AbortSignal,
): buildConnector.connector {
  async function checkedAddresses(hostname: string, port: number): Promise<readonly LookupAddress[]> {
    const literal = isLiteral(hostname);
    const answers = literal
      ? [{ address: hostname, family: hostname.includes(":") ? 6 : 4 }]
      : await dial.resolve(hostname).catch((cause: unknown) => {
          throw new UnresolvedHost(`${hostname} was not resolved`, { cause });
        });
    if (answers.length === 0) throw new UnresolvedHost(`${hostname} has no address`);
    const allowed = isAllowed(hostname.includes(":") ? `[${hostname}]` : hostname, port);
    for (const { address } of answers) {
      const { kind, why } = checkAddress(address);
      // A metadata service is only reached by its own address, spelled out by the operator.
      if (kind === "public" || (allowed && (kind === "private" || literal))) continue;
      throw new BlockedAddress(`${hostname} is ${address} (${why})`);
    }
    return answers;
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
