import { Code } from "@connectrpc/connect";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { acceptedCompression } from "../http/accepted-compression.ts";

export type Protocol = "connect" | "grpc" | "grpc-web";

/** The protocol that a request speaks by its content type; undefined for a browser or a probe. */
export function protocolOf(contentType: string | undefined): Protocol | undefined {
  const type = (contentType ?? "").toLowerCase();
  if (/^application\/grpc-web(-text)?($|[+;])/.test(type)) return "grpc-web";
  if (/^application\/grpc($|[+;])/.test(type)) return "grpc";
  return /^application\/(connect\+)?(proto|json)($|;)/.test(type) ? "connect" : undefined;
}

/** The name of a code as metrics and logs spell it: `OK`, `InvalidArgument`... a closed list. */
export function codeName(code: number): string {
  return code === 0 ? "OK" : (Code[code] ?? "Unknown");
}

/**
 * The same answer, which tells `onCode` the code that its client reads, as soon as that is on its way. It is
 * read from the answer itself: some calls are refused before any interceptor, others fail after all of them.
 * Nothing is told of a request that is no call, see `isNoCall`.
 */
export function watchAnswer(
  answer: UniversalServerResponse,
  protocol: Protocol,
  onCode: (code: string) => void,
): UniversalServerResponse {
  const isEnveloped =
    protocol === "grpc-web" || (answer.header?.get("content-type") ?? "").startsWith("application/connect+");
  let last: Uint8Array | undefined;

  async function readCode(): Promise<number> {
    const { status, header, trailer } = answer;
    const told = trailer?.get("grpc-status") ?? header?.get("grpc-status");
    if (told !== null && told !== undefined) return Number(told);
    if (status === 200 && protocol === "connect" && !isEnveloped) return 0;
    if (status !== 200 || !isEnveloped) {
      return (
        codeOfJson(await unpack(last, header?.get("content-encoding")), "code") ?? codeOfHttpStatus(status)
      );
    }
    const encoding = header?.get(protocol === "grpc-web" ? "grpc-encoding" : "connect-content-encoding");
    const isPacked = ((last?.[0] ?? 0) & compressedFlag) !== 0;
    const end = await unpack(last?.subarray(headBytes), isPacked ? encoding : null);
    return protocol === "grpc-web" ? codeOfTrailerFrame(end) : (codeOfJson(end, "error") ?? 0);
  }

  async function finish(): Promise<void> {
    onCode(codeName(await readCode()));
  }

  if (isNoCall(answer.status)) return answer;
  if (!answer.body) {
    void finish();
    return answer;
  }
  const onPiece = (piece: Uint8Array) => {
    last = piece;
  };
  return { ...answer, body: watchBody(answer.body, onPiece, finish) };
}

/**
 * Connect's bare refusals of what has no protocol of RPC: another HTTP method (405) or content type (415) than
 * the method has. A browser or a scanner sends that, and no client of an RPC is told a code.
 */
function isNoCall(status: number): boolean {
  return status === 405 || status === 415;
}

/** Passes on whatever its reader does, so that an error in writing still reaches the call. */
function watchBody(
  body: AsyncIterable<Uint8Array>,
  onPiece: (piece: Uint8Array) => void,
  onEnd: () => Promise<void>,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = body[Symbol.asyncIterator]();
      return {
        ...(iterator.return ? { return: (value?: unknown) => iterator.return!(value) } : {}),
        ...(iterator.throw ? { throw: (error?: unknown) => iterator.throw!(error) } : {}),
        async next() {
          const result = await iterator.next();
          if (result.done) await onEnd();
          else onPiece(result.value);
          return result;
        },
      };
    },
  };
}

const headBytes = 5;
const compressedFlag = 0x01;
/** An error may name a thousand failed pictures; what unpacks to more than this is not read for its code. */
const errorMaxBytes = 8 * 2 ** 20;

async function unpack(
  bytes: Uint8Array = new Uint8Array(),
  encoding: string | null | undefined,
): Promise<Uint8Array> {
  const compression = acceptedCompression.find(({ name }) => name === encoding);
  return compression ? compression.decompress(bytes, errorMaxBytes).catch(() => bytes) : bytes;
}

function codeOfTrailerFrame(content: Uint8Array): number {
  const status = /^grpc-status: *(\d+)\r?$/im.exec(new TextDecoder().decode(content))?.[1];
  return status === undefined ? Code.Unknown : Number(status);
}

/** The code in Connect's JSON: of an error itself, or in the field `error` of an end of stream. */
function codeOfJson(content: Uint8Array, at: "code" | "error"): number | undefined {
  try {
    const json = JSON.parse(new TextDecoder().decode(content)) as {
      code?: string;
      error?: { code?: string };
    };
    const name = at === "code" ? json.code : json.error?.code;
    return name === undefined ? undefined : codeByConnectName.get(name);
  } catch {
    // Not an error of Connect's, such as the empty body of a 505: the HTTP status has to do.
    return undefined;
  }
}

/** `invalid_argument` -> 3, as https://connectrpc.com/docs/protocol/#error-codes spells them. */
const codeByConnectName: ReadonlyMap<string, number> = new Map(
  Object.values(Code)
    .filter((code) => typeof code === "number")
    .map((code) => [toSnakeCase(Code[code] as string), code]),
);

/** `InvalidArgument` -> `invalid_argument`. */
export function toSnakeCase(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** How a Connect client reads a bare HTTP status: https://connectrpc.com/docs/protocol/#http-to-error-code. */
function codeOfHttpStatus(status: number): number {
  const codes: Readonly<Record<number, Code>> = {
    400: Code.Internal,
    401: Code.Unauthenticated,
    403: Code.PermissionDenied,
    404: Code.Unimplemented,
    429: Code.Unavailable,
    502: Code.Unavailable,
    503: Code.Unavailable,
    504: Code.Unavailable,
  };
  return codes[status] ?? Code.Unknown;
}
