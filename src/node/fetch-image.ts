import { Agent, type Dispatcher, errors, request } from "undici";
import type { FetchBytes } from "../embed/host.ts";
import { abortError, settleBefore } from "../embed/settle-before.ts";
import { EmbedError } from "../errors.ts";
import {
  BlockedAddress,
  createGuardedConnect,
  type Dial,
  nodeDial,
  UnresolvedHost,
} from "./fetch-connect.ts";
import { type FetchPolicy, parseAllowHosts } from "./fetch-policy.ts";
import { createSlots } from "./fetch-slots.ts";
import { checkUrl } from "./fetch-url-check.ts";

/** Something the caller is not told in full, for the operator's log. It may hold private addresses. */
export interface FetchRefusal {
  /** Host and port of the URL that the caller gave; its path and query may hold secrets and are left out. */
  readonly host: string;
  readonly why: string;
}

/** Some hosts (Wikimedia) answer 429 to a client without a name. */
const headers = {
  "user-agent": "Portico (image-embedding operator)",
  accept: "image/*,*/*;q=0.5",
  // A compressed body could grow past the limit while it is unpacked; pictures are compressed anyway.
  "accept-encoding": "identity",
};

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * The `FetchBytes` of a server: fetches what strangers name, from nowhere but public addresses and the hosts
 * of `policy.allowHosts`. The text of the URL is checked first, then each address when it is dialled, and
 * both again for each redirect. Each URL has its own connections, which are gone when the call ends; proxies
 * of the environment are not used, since behind one no address can be checked.
 *
 * What a host resolved to is told to `report` only: an answer that told "blocked" from "unknown" would map a
 * private network for the caller.
 *
 * @throws EmbedError `CONFIG_INVALID` (at once) for a bad entry of `policy.allowHosts`
 */
export function createFetchImage(
  policy: FetchPolicy,
  dial: Dial = nodeDial,
  report: (refusal: FetchRefusal) => void = () => undefined,
): FetchBytes {
  const isAllowed = parseAllowHosts(policy.allowHosts);
  const inSlot = createSlots(policy.maxConcurrent);

  async function fetchFrom(first: URL, callerSignal: AbortSignal | undefined): Promise<Uint8Array> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), policy.timeoutMs);
    const signal = callerSignal ? AbortSignal.any([callerSignal, deadline.signal]) : deadline.signal;
    const agent = new Agent({
      connect: createGuardedConnect(dial, isAllowed, policy.timeoutMs, signal),
      // The deadline covers headers and body; undici's own clocks would only blur the message.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    try {
      const response = await followRedirects(first, agent, signal);
      return await readBody(first, response);
    } catch (error) {
      if (callerSignal?.aborted) throw abortError(callerSignal);
      if (deadline.signal.aborted) {
        throw unreachable(first, `no whole answer within ${policy.timeoutMs} ms (--fetch-timeout-ms)`, error);
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
      const location = single(response.headers.location);
      if (location === undefined) {
        throw unreachable(first, `HTTP status ${response.statusCode} without a Location header`);
      }
      if (redirects === policy.maxRedirects) {
        throw unreachable(first, `more than ${policy.maxRedirects} redirects (--fetch-max-redirects)`);
      }
      url = checkRedirect(first, url, location);
    }
  }

  async function get(url: URL, dispatcher: Agent, signal: AbortSignal) {
    const response = await request(url, { dispatcher, signal, headers });
    // A body dropped unread emits an error, even when nobody waits any more; unheard it would end the process.
    response.body.on("error", () => undefined);
    return response;
  }

  /** The same checks as for the caller's own URL. The caller wrote none of it, so it is not FORBIDDEN to it. */
  function checkRedirect(first: URL, from: URL, location: string): URL {
    try {
      return checkUrl(location, policy.mode, isAllowed, from);
    } catch (error) {
      report({ host: first.host, why: `redirect refused: ${EmbedError.from(error).message}` });
      throw unreachable(first, "it redirects to a URL that is not allowed", error);
    }
  }

  async function readBody(first: URL, response: Dispatcher.ResponseData): Promise<Uint8Array> {
    const { body, statusCode, headers: answer } = response;
    if (statusCode !== 200) throw unreachable(first, `HTTP status ${statusCode}`);
    const encoding = single(answer["content-encoding"])?.trim().toLowerCase() ?? "identity";
    if (encoding !== "identity" && encoding !== "") {
      throw unreachable(first, "it sent a content-encoding although identity was asked for");
    }
    const announced = Number(single(answer["content-length"]) ?? 0);
    if (announced > policy.maxBytes) throw tooLarge(first, `${announced} bytes announced`);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > policy.maxBytes) throw tooLarge(first, "more");
      chunks.push(chunk);
    }
    if (length === 0)
      throw new EmbedError("SOURCE_EMPTY", `expected a picture from ${first.host}, got an empty body`);
    return concat(chunks, length);
  }

  function tooLarge(first: URL, got: string): EmbedError {
    return new EmbedError(
      "SOURCE_TOO_LARGE",
      `expected at most ${policy.maxBytes} bytes (--max-image-bytes) from ${first.host}, got ${got}`,
    );
  }

  function toEmbedError(first: URL, error: unknown): EmbedError {
    if (error instanceof EmbedError) return error;
    if (error instanceof BlockedAddress || error instanceof UnresolvedHost) {
      report({ host: first.host, why: error.message });
      return unreachable(first, undefined, error);
    }
    return unreachable(first, describeFailure(error), error);
  }

  return async (text, options = {}) => {
    const url = checkUrl(text, policy.mode, isAllowed);
    return inSlot(() => fetchFrom(url, options.signal), options.signal);
  };
}

function unreachable(url: URL, why: string | undefined, cause?: unknown): EmbedError {
  const message = `${url.host} could not be reached${why === undefined ? "" : `: ${why}`}`;
  return new EmbedError("SOURCE_UNREACHABLE", message, { cause });
}

/** What went wrong once a checked address was dialled, in words without addresses. */
function describeFailure(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ECONNREFUSED") return "the connection was refused";
  if (code === "ECONNRESET" || code === "EPIPE" || code === "UND_ERR_SOCKET") {
    return "the connection was closed before the whole answer had come";
  }
  if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return "the body is shorter or longer than announced";
  if (error instanceof errors.HTTPParserError || code.startsWith("UND_ERR_HEADERS")) {
    return "its answer is not valid HTTP";
  }
  if (code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_") || /CERT|SIGNATURE|EPROTO/.test(code)) {
    return `TLS failed (${code})`;
  }
  return undefined;
}

/** A header that came twice counts with its first value. */
function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** One array with a buffer of its own, so that it may be transferred to a worker. */
function concat(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
