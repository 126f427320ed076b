import { EmbedError } from "../../errors.ts";
import type { HeadersByOrigin } from "./fetch-policy.ts";

/** RFC 9110 section 5.6.2. */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 section 5.5, without the line breaks that would begin another header. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]+$/;

/**
 * Headers that no entry may set: those of the connection (RFC 9110 section 7.6.1), those that say where a request
 * goes or how long it is, and those that would bring another answer than the whole picture as it is.
 */
const forbiddenNames = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
  "content-length",
  "expect",
  "accept-encoding",
  "range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
]);

/** Whether a text can be the value of a header. */
export function isHeaderValue(text: string): boolean {
  return headerValue.test(text);
}

/**
 * Reads the file of `--fetch-headers`: `{"https://cdn.example": {"authorization": "Bearer ..."}}`. A key is an
 * origin, so that a secret for https never goes over plain http, nor to another port.
 *
 * Values are secrets: no message here holds one, nor does it pass on JSON.parse's, which quotes the text.
 *
 * @param file its path, for messages
 * @throws EmbedError `CONFIG_INVALID` naming the flag, the file and the entry
 */
export function parseFetchHeaders(text: string, file: string): HeadersByOrigin {
  const byOrigin = new Map<string, Readonly<Record<string, string>>>();
  for (const [key, value] of Object.entries(parseObject(text, file))) {
    const origin = parseOrigin(key, file);
    if (byOrigin.has(origin)) throw invalid(file, `${nameOf(key)} names ${origin} for the second time`);
    byOrigin.set(origin, parseHeaders(value, key, file));
  }
  return byOrigin;
}

function parseObject(text: string, file: string): object {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const [place = ""] = /line \d+ column \d+/.exec(String(error)) ?? [];
    throw invalid(file, `it is not valid JSON${place && ` (${place})`}`);
  }
  if (!isObject(json)) throw invalid(file, "it is not an object of origins");
  return json;
}

function parseOrigin(key: string, file: string): string {
  const url = URL.parse(key);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  // Only an origin comes back as itself: no path, query, fragment or user name.
  if (!url || !isWeb || url.href !== `${url.origin}/` || /[?#]/.test(key)) {
    throw invalid(file, `${nameOf(key)} is no origin such as https://cdn.example or http://minio:9000`);
  }
  return url.origin;
}

function parseHeaders(value: unknown, key: string, file: string): Readonly<Record<string, string>> {
  if (!isObject(value)) throw invalid(file, `${nameOf(key)} is not an object of header names and values`);
  const headers = new Map<string, string>();
  for (const [rawName, text] of Object.entries(value)) {
    const name = rawName.toLowerCase();
    const place = `${nameOf(key)}, header ${JSON.stringify(rawName.slice(0, 100))}`;
    if (!headerName.test(rawName)) throw invalid(file, `${place} is no name of a header`);
    if (forbiddenNames.has(name)) throw invalid(file, `${place} is not yours to set`);
    if (headers.has(name)) throw invalid(file, `${place} is there for the second time`);
    if (typeof text !== "string" || !isHeaderValue(text)) {
      throw invalid(file, `${place} has a value that is no text of printable characters in one line`);
    }
    headers.set(name, text);
  }
  return Object.fromEntries(headers);
}

function isObject(json: unknown): json is object {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** An entry for a message, without the user name and password that its key should not have had. */
function nameOf(key: string): string {
  return `the entry ${JSON.stringify(key.replace(/\/\/.*@/, "//...@").slice(0, 300))}`;
}

function invalid(file: string, what: string): EmbedError {
  return new EmbedError(
    "CONFIG_INVALID",
    `expected headers by origin in --fetch-headers ${file}, but ${what}`,
  );
}
