import { Agent, request } from "undici";
import type { FetchBytes } from "../../embed/host.ts";
import { abortError, settleBefore } from "../../embed/settle-before.ts";
import { EmbedError, type Reason } from "../../errors.ts";
import { readBody, singleHeader } from "./fetch-body.ts";
import {
  BlockedAddress,
  createGuardedConnect,
  type Dial,
  nodeDial,
  UnresolvedHost,
} from "./fetch-connect.ts";
import { describeFailure, unreachable } from "./fetch-failure.ts";
import { type FetchPolicy, toFetchRules } from "./fetch-policy.ts";
import { createSlots } from "./fetch-slots.ts";
import { checkUrl } from "./fetch-url-check.ts";

/** Something the caller is not told in full, for the operator's log. It may hold private addresses. */
export interface FetchRefusal {
  /** Host and port of the URL that the caller gave; its path and query may hold secrets and are left out. */
  readonly host: string;
  readonly why: string;
}

/** One fetch that has ended, for metrics. */
export interface FetchReport {
  /** From its turn on, in milliseconds: resolving, redirects and body; waiting for a slot is not in it. */
  readonly ms: number;
  /** Of the picture; 0 if it did not come. */
  readonly bytes: number;
  readonly outcome: "OK" | Reason;
}

export interface FetchImageOptions {
  readonly dial?: Dial;
  readonly onRefused?: (refusal: FetchRefusal) => void;
  /** Called for each URL whose text was accepted, once it has its picture or has failed. */
  readonly onFetched?: (report: FetchReport) => void;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * The `FetchBytes` of a server: fetches what strangers name, from nowhere but public addresses and the hosts
 * of `policy.allowHosts`. The text of the URL is checked first, then each address when it is dialled, and
 * both again for each redirect. Each URL has its own connections, which are gone when the call ends; proxies
 * of the environment are not used, since behind one no address can be checked.
 *
 * What a host resolved to is told to `onRefused` only: an answer that told "blocked" from "unknown" would map a
 * private network for the caller.
 *
 * @throws EmbedError `CONFIG_INVALID` (at once) for a bad entry of `policy.allowHosts`, or `policy.allowPrivate`
 * in a mode that contradicts it
 */
export function createFetchImage(
  policy: FetchPolicy,
  { dial = nodeDial, onRefused = () => undefined, onFetched = () => undefined }: FetchImageOptions = {},
): FetchBytes {
  const rules = toFetchRules(policy);
  const inSlot = createSlots(policy.maxConcurrent);
  const headers = {
    "user-agent": policy.userAgent,
    accept: "image/*,*/*;q=0.5",
    // A compressed body could grow past the limit while it is unpacked; pictures are compressed anyway.
    "accept-encoding": "identity",
  };

  async function fetchFrom(first: URL, callerSignal: AbortSignal | undefined): Promise<Uint8Array> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), policy.timeoutMs);
    const signal = callerSignal ? AbortSignal.any([callerSignal, deadline.signal]) : deadline.signal;
    const agent = new Agent({
      connect: createGuardedConnect(dial, rules, policy.timeoutMs, signal),
      // The deadline covers headers and body; undici's own clocks would only blur the message.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    try {
      const response = await followRedirects(first, agent, signal);
      return await readBody(first, response, policy.maxBytes);
    } catch (error) {
      if (callerSignal?.aborted) throw abortError(callerSignal);
      if (deadline.signal.aborted) {
        throw unreachable(first, `no whole answer within ${policy.timeoutMs} ms (--fetch-timeout-ms)`, {
          cause: error,
        });
      }
      throw toEmbedError(first, error);
    } finally {
      clearTimeout(timer);
      // Drops sockets at once, half-read and half-open ones too; nothing waits for a hostile host to let go.
      await agent.destroy();
    }
  }

  async function followRedirects(first: URL, dispatcher: Agent, signal: AbortSignal) {
    let url = first;
    for (let redirects = 0; ; redirects++) {
      if (signal.aborted) throw abortError(signal);
      // undici sees an abort only once it is connected, so the wait is bounded here.
      const response = await settleBefore(get(url, dispatcher, signal), signal);
      if (!redirectStatuses.has(response.statusCode)) return response;
      response.body.destroy();
      const location = singleHeader(response.headers.location);
      if (location === undefined) {
        throw unreachable(first, `HTTP status ${response.statusCode} without a Location header`, {
          httpStatus: response.statusCode,
        });
      }
      if (redirects === policy.maxRedirects) {
        throw unreachable(first, `more than ${policy.maxRedirects} redirects (--fetch-max-redirects)`);
      }
      url = checkRedirect(first, url, location);
    }
  }

  async function get(url: URL, dispatcher: Agent, signal: AbortSignal) {
    // Asked for anew at each hop: a secret goes to the origin that it is meant for and to none that follows.
    const own = policy.headersByOrigin.get(url.origin);
    const response = await request(url, { dispatcher, signal, headers: { ...headers, ...own } });
    // A body dropped unread emits an error, even when nobody waits any more; unheard it would end the process.
    response.body.on("error", () => undefined);
    return response;
  }

  /** The same checks as for the caller's own URL. The caller wrote none of it, so it is not FORBIDDEN to it. */
  function checkRedirect(first: URL, from: URL, location: string): URL {
    try {
      return checkUrl(location, rules, from);
    } catch (error) {
      onRefused({ host: first.host, why: `redirect refused: ${EmbedError.from(error).message}` });
      throw unreachable(first, "it redirects to a URL that is not allowed", { cause: error });
    }
  }

  function toEmbedError(first: URL, error: unknown): EmbedError {
    if (error instanceof EmbedError) return error;
    if (error instanceof BlockedAddress || error instanceof UnresolvedHost) {
      onRefused({ host: first.host, why: error.message });
      return unreachable(first, undefined, { cause: error });
    }
    return unreachable(first, describeFailure(error), { cause: error });
  }

  async function reported(fetching: Promise<Uint8Array>): Promise<Uint8Array> {
    const start = performance.now();
    const report = (bytes: number, outcome: FetchReport["outcome"]) =>
      onFetched({ ms: performance.now() - start, bytes, outcome });
    try {
      const bytes = await fetching;
      report(bytes.length, "OK");
      return bytes;
    } catch (error) {
      report(0, EmbedError.from(error).reason);
      throw error;
    }
  }

  return async (text, options = {}) => {
    const url = checkUrl(text, rules);
    return inSlot(() => reported(fetchFrom(url, options.signal)), options.signal);
  };
}
