import { randomBytes } from "node:crypto";

/** One request's place in a distributed trace. Ids are lower-case hex, never all zeros. */
export interface TraceContext {
  /** 32 digits: the caller's, or a new one. */
  readonly traceId: string;
  /** 16 digits, new for this request. */
  readonly spanId: string;
  /** 16 digits: the caller's span; undefined at the start of a trace. */
  readonly parentSpanId: string | undefined;
  /** Whether the caller records this trace; true at the start of one. */
  readonly sampled: boolean;
  /** What other tracing systems said, as it came; only beside a usable `traceparent`. */
  readonly traceState: string | undefined;
}

/** The spec has at least 512 characters propagated; a longer one is dropped whole, which it allows. */
const traceStateMaxLength = 512;
const traceStateMaxMembers = 32;

const parentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeros = /^0+$/;
const sampledFlag = 0x01;

const simpleKey = "[a-z][a-z0-9_\\-*/]{0,255}";
const tenantKey = "[a-z0-9][a-z0-9_\\-*/]{0,240}@[a-z][a-z0-9_\\-*/]{0,13}";
/** Printable ASCII without comma and equals sign, not ending in a space. */
const memberPattern = new RegExp(`^(${simpleKey}|${tenantKey})=[ -+\\--<>-~]{0,255}[!-+\\--<>-~]$`);

/**
 * Joins the caller's trace, or starts one where the caller sent none or a malformed one.
 * https://www.w3.org/TR/trace-context/, sections 3.2 and 3.3. A header that came twice arrives joined with a
 * comma, which makes `traceparent` malformed, as the spec wants.
 */
export function readTraceContext(
  traceparent: string | string[] | undefined,
  tracestate: string | string[] | undefined,
): TraceContext {
  const random = randomBytes(24).toString("hex");
  const spanId = random.slice(32);
  const parent = parseTraceParent(traceparent);
  if (!parent) {
    return {
      traceId: random.slice(0, 32),
      spanId,
      parentSpanId: undefined,
      sampled: true,
      traceState: undefined,
    };
  }
  return { ...parent, spanId, traceState: checkTraceState(tracestate) };
}

function parseTraceParent(header: string | string[] | undefined) {
  const match = typeof header === "string" ? parentPattern.exec(header) : null;
  if (!match) return undefined;
  const [, version, traceId, parentSpanId, flags, rest] = match as unknown as readonly string[];
  if (version === "ff" || !traceId || !parentSpanId || !flags) return undefined;
  // A later version may append fields; version 00 has none.
  if (version === "00" && rest !== undefined) return undefined;
  if (zeros.test(traceId) || zeros.test(parentSpanId)) return undefined;
  return { traceId, parentSpanId, sampled: (Number.parseInt(flags, 16) & sampledFlag) !== 0 };
}

/** The list without empty members, or undefined if any part of it breaks the grammar. */
function checkTraceState(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header.join(",") : (header ?? "");
  if (text.length > traceStateMaxLength) return undefined;
  const members = text
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => member.split("=", 1)[0]));
  const isValid =
    members.length > 0 &&
    members.length <= traceStateMaxMembers &&
    keys.size === members.length &&
    members.every((member) => memberPattern.test(member));
  return isValid ? members.join(",") : undefined;
}
