import { createHash, timingSafeEqual } from "node:crypto";
import { EmbedError } from "../../errors.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { toConnectError } from "../../service/to-connect-error.ts";
import { type PageGate, textPage } from "../http/http-pages.ts";
import type { RequestGate } from "../http/request-gate.ts";

/**
 * Shortest token, in characters: 32 hold 128 random bits even when they are hexadecimal digits, which nobody
 * guesses over a network. A word or a date is not let in by mistake.
 */
export const tokenMinLength = 32;

/** RFC 6750, section 2.1 (b64token); anything else could not be sent in the header. */
const tokenPattern = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Pages for probes, which cannot send a token; they tell only whether the process lives and takes work. */
const openPages: ReadonlySet<string> = new Set(["/livez", "/readyz"]);

/** The SHA-256 of each token. The tokens themselves are not kept. */
export type TokenHashes = readonly Uint8Array[];

/** The tokens that open this server; they may change while it runs. */
export interface BearerTokens {
  current(): TokenHashes;
}

/**
 * Reads one token a line. Blank lines and lines that start with # are skipped, spaces around a token too. A
 * message tells the number of a line and never its text.
 * @throws EmbedError `CONFIG_INVALID`: no token at all, one that is too short, or one that no header can hold
 */
export function parseTokens(text: string): TokenHashes {
  const hashes: Uint8Array[] = [];
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const token = line.trim();
    if (token === "" || token.startsWith("#")) continue;
    const fail = (expected: string) => {
      throw new EmbedError("CONFIG_INVALID", `line ${index + 1}: expected ${expected}`);
    };
    if (!tokenPattern.test(token)) {
      fail("one token made of A-Z, a-z, 0-9, -, ., _, ~, + and /, with = at its end at most (RFC 6750)");
    }
    if (token.length < tokenMinLength) {
      const why = "fewer can be guessed (openssl rand -hex 32 makes a good one)";
      fail(`a token of at least ${tokenMinLength} characters, got ${token.length}; ${why}`);
    }
    hashes.push(sha256(token));
  }
  if (hashes.length === 0) {
    throw new EmbedError("CONFIG_INVALID", "expected at least one token, one a line, got none");
  }
  return hashes;
}

/**
 * Why a value of the `authorization` header does not open this server, or nothing if it does. It takes as
 * long for a token that is nearly right as for any other: hashes of equal length are compared, in constant
 * time and with every entry.
 */
export function checkBearer(
  authorization: string | null | undefined,
  hashes: TokenHashes,
): EmbedError | undefined {
  const expected = 'expected the header "authorization: Bearer TOKEN" with a token of this server';
  if (!authorization) return new EmbedError("UNAUTHENTICATED", `${expected}, got no such header`);
  // RFC 9110, section 11.1: the scheme's letter case does not matter.
  const [, token] = /^bearer +(.*)$/i.exec(authorization) ?? [];
  if (token === undefined) return new EmbedError("UNAUTHENTICATED", `${expected}, got another scheme`);
  const got = sha256(token.trim());
  let isKnown = false;
  for (const hash of hashes) {
    const isSame = timingSafeEqual(hash, got);
    isKnown = isKnown || isSame;
  }
  return isKnown ? undefined : new EmbedError("UNAUTHENTICATED", `${expected}, got an unknown token`);
}

/**
 * Lets a call pass that carries a known token, and any call of `grpc.health.v1.Health`: the probes of
 * Kubernetes and of load balancers cannot send one, and learn nothing but whether the server takes work.
 */
export function bearerGate(tokens: BearerTokens): RequestGate {
  return ({ service, protocolName, requestHeader }) => {
    if (service.typeName === Health.typeName) return;
    const authorization = requestHeader.get("authorization");
    const refusal = checkBearer(authorization, tokens.current());
    if (!refusal) return;
    const error = toConnectError(refusal);
    // In the other protocols a refusal is no HTTP 401, and trailers are not the place for it.
    if (protocolName === "connect") error.metadata.set("www-authenticate", challenge(authorization));
    throw error;
  };
}

/** The same for pages, of which only `/livez` and `/readyz` are open. */
export function bearerPageGate(tokens: BearerTokens): PageGate {
  return (path, { headers: { authorization } }) => {
    if (openPages.has(path)) return undefined;
    const refusal = checkBearer(authorization, tokens.current());
    if (!refusal) return undefined;
    const page = textPage(401, `${refusal.reason}: ${refusal.message}`);
    return { ...page, headers: { "www-authenticate": challenge(authorization) } };
  };
}

/** RFC 6750, section 3.1: who sent no token is told no error code. */
function challenge(authorization: string | null | undefined): string {
  return `Bearer realm="portico"${authorization ? ', error="invalid_token"' : ""}`;
}

function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
