import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { http2Frame, http2Headers, http2Hello, parseHttp2Frames, type RawAnswer } from "../raw-http.ts";
import { createGoodCalls } from "./request-good-call.ts";
import type { RequestVictim, VictimState } from "./request-victim-process.ts";

export type RawParts = readonly (string | Uint8Array)[];

/** What a server may take for one answer while others keep the machine busy; it takes milliseconds. */
const answerTimeoutMs = 20_000;

/** Sends `parts` as they are, one packet each, and listens until the answer is there or the server closes. */
export async function exchangeRaw(
  port: number,
  parts: RawParts,
  isAnswered: (text: string) => boolean,
  listenMs = answerTimeoutMs,
): Promise<RawAnswer> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true, allowHalfOpen: true });
  let text = "";
  let closed = false;
  const settled = new Promise<void>((resolve) => {
    const onEnd = () => {
      closed = true;
      resolve();
    };
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (isAnswered(text)) resolve();
    });
    socket.on("end", onEnd);
    socket.on("close", onEnd);
    // A reset is an answer too; "close" follows.
    socket.on("error", onEnd);
  });
  for (const part of parts) {
    if (!socket.destroyed) socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    await sleep(5);
  }
  await Promise.race([settled, sleep(listenMs, undefined, { ref: false })]);
  socket.destroy();
  return { text, closed };
}

/** Above what a server that has just started holds: buffers that V8 and the allocator keep for later. */
const spareBytes = 150 * 2 ** 20;

/** The server lives, takes good calls of both versions, logged no error and holds nothing of what was sent. */
export async function expectUnhurt(victim: RequestVictim, before: VictimState): Promise<void> {
  expect(victim.fault()).toBeUndefined();
  const [http1, http2] = await createGoodCalls(victim.port);
  expect(await http1()).toBe(await http2());
  await expect
    .poll(async () => (await victim.state()).connections, { timeout: answerTimeoutMs })
    .toBeLessThanOrEqual(before.connections);
  const { internalAnswers, rssBytes } = await victim.state();
  expect(internalAnswers).toEqual([]);
  expect(rssBytes - before.rssBytes).toBeLessThan(spareBytes);
  expect(victim.fault()).toBeUndefined();
}

export const healthPath = "/grpc.health.v1.Health/Check";
const serving = '{"status":"SERVING"}';

/** The start of a call over HTTP/1.1, with these header fields too. */
export const http1Head = (...fields: string[]) =>
  [`POST ${healthPath} HTTP/1.1`, "Host: a", "Content-Type: application/json", ...fields, "", ""].join(
    "\r\n",
  );
/** A call over HTTP/1.1 that is good. */
export const http1Call = `${http1Head("Content-Length: 2")}{}`;

/** The status of each answer, and whether the last one is that of a good call. */
export function http1Answers(text: string): {
  readonly statuses: readonly number[];
  readonly isGood: boolean;
} {
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status));
  return { statuses, isGood: statuses.at(-1) === 200 && text.endsWith(serving) };
}

type Fields = readonly (readonly [string, string])[];

/** The header fields of a call over HTTP/2, with these too. */
export const http2Fields = (...more: Fields): Fields => [
  [":method", "POST"],
  [":scheme", "http"],
  [":path", healthPath],
  [":authority", "a"],
  ["content-type", "application/json"],
  ...more,
];

/** A whole call over HTTP/2. */
export function http2Call(stream: number, ...more: Fields): Buffer {
  return Buffer.concat([
    http2Headers(stream, http2Fields(...more), false),
    http2Frame(0, 1, stream, Buffer.from("{}")),
  ]);
}

/** What a client sends first, and nothing else. */
export const http2Preface = http2Hello.subarray(0, 24);

/** What happened on a session, each once, in words: "status 200", "reset 8", "goaway 1"; `stream` is left out. */
export function http2Answers(text: string, stream: number): string {
  const events = parseHttp2Frames(text).flatMap((frame) => {
    if (frame.stream === stream && frame.type <= 1) return [];
    if (frame.type === 1) return [`status ${statusOf(frame.payload)}`];
    if (frame.type === 3) return [`reset ${frame.payload.readUInt32BE()}`];
    if (frame.type === 7) return [`goaway ${frame.payload.readUInt32BE(4)}`];
    return [];
  });
  return [...new Set(events)].join(", ");
}

/** Whether `stream` got the answer of a good call. */
export function isGoodHttp2(text: string, stream: number): boolean {
  const frames = parseHttp2Frames(text).filter((frame) => frame.stream === stream);
  const body = frames.filter(({ type }) => type === 0).map(({ payload }) => payload.toString());
  return (
    frames.some(({ type, payload }) => type === 1 && statusOf(payload) === "200") && body.join("") === serving
  );
}

/**
 * HPACK: `:status` is the first field, from the static table (RFC 7541, appendix A) or as digits; of the others
 * only those of 100 are shorter when they are packed.
 */
function statusOf(block: Buffer): string {
  if (block[1] === 0x82) return "100";
  const known: Readonly<Record<number, string>> = { 136: "200", 140: "400", 141: "404", 142: "500" };
  return known[block[0] ?? 0] ?? block.subarray(2, 5).toString("latin1");
}
