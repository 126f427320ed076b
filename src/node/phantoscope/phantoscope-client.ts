import { Agent, errors, request } from "undici";
import { EmbedError } from "../../errors.ts";

/** Phantoscope's answers are some hundred bytes; what is longer is not one. */
export const answerMaxBytes = 2 ** 20;

/** What a server answered, whatever it is. */
export interface HttpAnswer {
  readonly status: number;
  /** Media type in lower case, without parameters; empty if it named none. */
  readonly type: string;
  /** Methods of the header `allow`. */
  readonly allow: readonly string[];
  readonly location: string | undefined;
  readonly text: string;
}

/** Phantoscope's REST API at one address. */
export interface PhantoscopeClient {
  /** Without a slash at its end. */
  readonly url: string;
  readonly host: string;
  /**
   * @param path below the address, with a slash at its start
   * @param body sent as JSON
   * @throws EmbedError `SERVER_UNREACHABLE`, `DEADLINE_EXCEEDED`
   */
  ask(method: "GET" | "POST" | "OPTIONS", path: string, body?: object): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/**
 * @param timeoutMs for each answer as a whole
 * @throws EmbedError `CONFIG_INVALID` for an address that is none
 */
export function createPhantoscopeClient(address: string, timeoutMs: number): PhantoscopeClient {
  const { url, host } = parseAddress(address);
  const agent = new Agent();
  return {
    url,
    host,
    async ask(method, path, body) {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const response = await request(`${url}${path}`, {
          dispatcher: agent,
          method,
          signal,
          // The one deadline is the signal's.
          headersTimeout: 0,
          bodyTimeout: 0,
          headers: { accept: "application/json", ...(body && { "content-type": "application/json" }) },
          ...(body && { body: JSON.stringify(body) }),
        });
        const { headers } = response;
        return {
          status: response.statusCode,
          type: first(headers["content-type"])?.split(";")[0]?.trim().toLowerCase() ?? "",
          allow: [headers.allow ?? []].flat().flatMap((list) => list.split(/[\s,]+/)),
          location: first(headers.location),
          text: await readText(response.body, url),
        };
      } catch (cause) {
        if (cause instanceof EmbedError) throw cause;
        throw signal.aborted ? timedOut(url, timeoutMs, cause) : toUnreachable(url, cause);
      }
    },
    close: () => agent.destroy(),
  };
}

function parseAddress(text: string): { url: string; host: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (!url || !isHttp || url.username || url.password || url.search || url.hash) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--phantoscope: expected a URL like http://10.0.0.7:5000, got "${text}"`,
    );
  }
  return { url: `${url.origin}${url.pathname}`.replace(/\/+$/, ""), host: url.hostname };
}

async function readText(body: AsyncIterable<Uint8Array>, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > answerMaxBytes) {
      throw new EmbedError(
        "SERVER_UNREACHABLE",
        `expected Phantoscope at ${url}, got an answer of more than ${answerMaxBytes} bytes`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const first = (header: string | string[] | undefined): string | undefined => [header].flat()[0];

function timedOut(url: string, timeoutMs: number, cause: unknown): EmbedError {
  return new EmbedError(
    "DEADLINE_EXCEEDED",
    `no answer from Phantoscope at ${url} within ${timeoutMs} ms (--timeout-ms): is it up, and no firewall between?`,
    { cause },
  );
}

/** What to look at, by the code of the error. */
const mendings: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there; start Phantoscope, or mend host and port (its API has 5000)",
  ENOTFOUND: "no such host name; mend it, or give the IP address",
  EAI_AGAIN: "the host name cannot be looked up now; give the IP address",
  EHOSTUNREACH: "no way to that host; are both in one network?",
  ENETUNREACH: "no way to that network; are both in one network?",
  ETIMEDOUT: "the host does not answer; is it up, and no firewall between?",
  UND_ERR_CONNECT_TIMEOUT: "the host does not answer; is it up, and no firewall between?",
  ECONNRESET: closedEarly(),
  UND_ERR_SOCKET: closedEarly(),
};

/** gunicorn, which Phantoscope's container runs, ends a worker after 30 s without an answer. */
function closedEarly(): string {
  return "it closed the connection without an answer; Phantoscope's server does that after 30 s, mostly because the operator takes its call and never answers";
}

function toUnreachable(url: string, cause: unknown): EmbedError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const isForeign = cause instanceof errors.HTTPParserError || code.startsWith("HPE_");
  const why = isForeign
    ? "what answers there does not speak HTTP; is it the port of Phantoscope's API (5000)?"
    : (mendings[code] ?? `${String(cause)}; is it the address of Phantoscope's API?`);
  return new EmbedError("SERVER_UNREACHABLE", `cannot reach Phantoscope at ${url}: ${why}`, { cause });
}
