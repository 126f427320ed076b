import { isIP } from "node:net";
import { EmbedError } from "../../errors.ts";
import { checkAddress } from "./address-check.ts";
import { type FetchRules, isOpenToAll } from "./fetch-policy.ts";

/** Longest URL taken, in characters; servers seldom take more. */
const maxUrlLength = 8192;

/** Longest name that DNS can hold, in characters (RFC 1035 section 2.3.4, written out). */
const maxHostLength = 253;

/**
 * Reads a URL that a caller wants a picture from, and refuses what its text alone forbids. What its name
 * resolves to is checked when it is dialled (`createGuardedConnect`).
 *
 * @param base the URL that redirected here, for a relative `Location`
 * @throws EmbedError `SOURCE_INVALID` if it is no URL, `SOURCE_FORBIDDEN` if it is one that is never fetched
 */
export function checkUrl(text: string, rules: FetchRules, base?: URL): URL {
  const { mode, isAllowed } = rules;
  const url = parseUrl(text, base);
  if (mode === "off") {
    throw forbidden("expected a picture's bytes, got a URL; this server fetches none (--urls off)");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw forbidden(`expected an http or https URL, got the scheme "${url.protocol.slice(0, 32)}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw forbidden("expected a URL without credentials, got one with a user name or password");
  }
  const port = portOf(url);
  if (isAllowed(url.hostname, port)) return url;
  if (mode === "listed") {
    throw forbidden(`expected a host that this server's --allow-hosts names, got ${url.hostname}:${port}`);
  }
  // A fetch must not speak to a mail server or a shell. Below 1024 only the two ports of the web serve pictures.
  if (port < 1024 && port !== 80 && port !== 443) {
    throw forbidden(`expected port 80, 443 or one above 1023 (--allow-hosts names exceptions), got ${port}`);
  }
  if (isLiteral(url.hostname)) {
    const { kind, why } = checkAddress(url.hostname);
    if (!isOpenToAll(kind, rules)) {
      const expected = rules.allowPrivate ? "a public or private address" : "a public address";
      throw forbidden(`expected ${expected} (--allow-hosts names exceptions), got ${url.hostname} (${why})`);
    }
  }
  return url;
}

function portOf(url: URL): number {
  return url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
}

/** Whether a host of a URL is an address, not a name: `new URL` has brought decimal, hex and short forms to one. */
export function isLiteral(hostname: string): boolean {
  return hostname.startsWith("[") || isIP(hostname) !== 0;
}

function parseUrl(text: string, base: URL | undefined): URL {
  if (text.trim() === "") throw invalid("expected an http or https URL, got an empty string");
  if (/^\s*data:/i.test(text.slice(0, 64))) {
    throw invalid("expected an http or https URL, got a data URI; send the picture's bytes instead");
  }
  if (text.length > maxUrlLength) {
    throw invalid(`expected a URL of at most ${maxUrlLength} characters, got ${text.length}`);
  }
  const url = URL.parse(text, base?.href);
  if (!url) throw invalid("expected an http or https URL, got a text that is no URL");
  if (url.hostname.length > maxHostLength) {
    throw invalid(`expected a host of at most ${maxHostLength} characters, got ${url.hostname.length}`);
  }
  return url;
}

function invalid(message: string): EmbedError {
  return new EmbedError("SOURCE_INVALID", message);
}

function forbidden(message: string): EmbedError {
  return new EmbedError("SOURCE_FORBIDDEN", message);
}
