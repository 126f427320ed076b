import { describe, expect, test } from "vitest";
import { readTraceContext } from "./trace-context.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentSpanId = "b7ad6b7169203331";
const zeroTrace = "0".repeat(32);
const zeroSpan = "0".repeat(16);

describe("traceparent", () => {
  // https://www.w3.org/TR/trace-context/#traceparent-header
  test.each([
    ["sampled", `00-${traceId}-${parentSpanId}-01`, true],
    ["not sampled", `00-${traceId}-${parentSpanId}-00`, false],
    ["flags that only a later version knows", `00-${traceId}-${parentSpanId}-ff`, true],
    ["flags without the one for sampled", `00-${traceId}-${parentSpanId}-fe`, false],
    ["a later version", `01-${traceId}-${parentSpanId}-01`, true],
    ["a later version with more fields", `cc-${traceId}-${parentSpanId}-01-what-ever`, true],
  ])("%s is joined", (_, header, sampled) => {
    const context = readTraceContext(header, undefined);
    expect(context).toEqual({
      traceId,
      parentSpanId,
      sampled,
      traceState: undefined,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(context.spanId).not.toBe(parentSpanId);
  });

  test.each([
    ["none", undefined],
    ["an empty one", ""],
    ["version ff", `ff-${traceId}-${parentSpanId}-01`],
    ["version 00 with more fields", `00-${traceId}-${parentSpanId}-01-more`],
    ["version 00 with a dash at its end", `00-${traceId}-${parentSpanId}-01-`],
    ["a later version with more digits", `01-${traceId}-${parentSpanId}-01more`],
    ["a trace id of zeros", `00-${zeroTrace}-${parentSpanId}-01`],
    ["a span id of zeros", `00-${traceId}-${zeroSpan}-01`],
    ["capital letters", `00-${traceId.toUpperCase()}-${parentSpanId}-01`],
    ["no digits", `00-${"g".repeat(32)}-${parentSpanId}-01`],
    ["a short trace id", `00-${traceId.slice(1)}-${parentSpanId}-01`],
    ["a long span id", `00-${traceId}-${parentSpanId}0-01`],
    ["one digit of flags", `00-${traceId}-${parentSpanId}-1`],
    ["white space", ` 00-${traceId}-${parentSpanId}-01`],
    ["a line break", `00-${traceId}-${parentSpanId}-01\n`],
    ["two of them", `00-${traceId}-${parentSpanId}-01, 00-${traceId}-${parentSpanId}-01`],
    ["two headers", [`00-${traceId}-${parentSpanId}-01`, `00-${traceId}-${parentSpanId}-01`]],
  ])("%s starts a new trace", (_, header) => {
    const context = readTraceContext(header, "a=b");
    expect(context).toEqual({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
      parentSpanId: undefined,
      sampled: true,
      traceState: undefined,
    });
    expect(context.traceId).not.toBe(traceId);
    expect(context.traceId).not.toBe(readTraceContext(undefined, undefined).traceId);
  });
});

describe("tracestate", () => {
  const stateOf = (header: string | string[]) =>
    readTraceContext(`00-${traceId}-${parentSpanId}-01`, header).traceState;
  const members = (count: number) => Array.from({ length: count }, (_, index) => `k${index}=v`).join(",");

  // https://www.w3.org/TR/trace-context/#tracestate-header
  test.each([
    ["one member", "congo=t61rcWkgMzE", "congo=t61rcWkgMzE"],
    ["several, with white space and empty ones", "rojo=1 ,\t, congo=2", "rojo=1,congo=2"],
    ["several headers", ["rojo=1", "congo=2"], "rojo=1,congo=2"],
    ["a tenant", "fw529a3039@dt=FfD0a", "fw529a3039@dt=FfD0a"],
    ["spaces within a value", "a=b c", "a=b c"],
    ["as many as there may be", members(32), members(32)],
  ])("%s is kept", (_, header, kept) => {
    expect(stateOf(header)).toBe(kept);
  });

  test.each([
    ["nothing", ""],
    ["only commas", ",,"],
    ["no equals sign", "rojo"],
    ["two equals signs", "rojo=a=b"],
    ["an empty value", "rojo="],
    ["a key in capitals", "Rojo=1"],
    ["a key that begins with a digit", "1rojo=1"],
    ["a key twice", "rojo=1,rojo=2"],
    ["a control character", "rojo=\u0001"],
    ["more than ASCII", "rojo=é"],
    ["one member too many", members(33)],
    ["one character too many", `a=${"b".repeat(255)},c=${"d".repeat(253)}`],
  ])("%s is dropped, and the trace is kept", (_, header) => {
    expect(stateOf(header)).toBeUndefined();
  });
});
