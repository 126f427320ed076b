import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../random.ts";

/** How a client leaves: it waits for an answer, it says that it is done, or it vanishes. */
const endings = ["wait", "wait", "end", "reset"] as const;

/** Connected, but not answered: a connection that takes longer than this is wedged. */
const connectTimeoutMs = 10_000;
/** An answer that pauses for this long is taken to be complete: many mutated requests are never complete. */
const quietMs = 10;
const answerMaxMs = 100;
const answerMaxBytes = 2 ** 20;

/**
 * Sends bytes on a connection of their own, in one to three packets, and leaves.
 * @returns what the server answered until then, one character per byte
 * @throws Error if the server takes no connection
 */
export async function sendRequestBytes(port: number, bytes: Uint8Array, random: Random): Promise<string> {
  const ending = random.pick(endings);
  const cuts = random.chance(20) ? [random.below(bytes.length + 1), random.below(bytes.length + 1)] : [];
  const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  const gone = new Promise<void>((resolve) => socket.once("close", resolve));
  // A reset is an answer like another.
  socket.on("error", () => undefined);
  const chunks: Buffer[] = [];
  let receivedBytes = 0;
  let heardAt = performance.now();
  socket.on("data", (chunk: Buffer) => {
    heardAt = performance.now();
    receivedBytes += chunk.length;
    if (receivedBytes <= answerMaxBytes) chunks.push(chunk);
  });
  const connected = new Promise<void>((resolve) => socket.once("connect", resolve));
  await Promise.race([connected, gone, sleep(connectTimeoutMs, undefined, { ref: false })]);
  if (socket.connecting) throw new Error(`no connection was taken within ${connectTimeoutMs} ms`);

  for (const [index, edge] of edges.slice(1).entries()) {
    if (index > 0) await sleep(1);
    socket.write(bytes.subarray(edges[index], edge));
  }
  if (ending === "end") socket.end();
  if (ending === "reset") {
    await sleep(random.below(5));
    socket.resetAndDestroy();
  }
  const startedAt = performance.now();
  const isOver = () => {
    const now = performance.now();
    return socket.closed || now - startedAt > answerMaxMs || (receivedBytes > 0 && now - heardAt > quietMs);
  };
  while (!isOver()) await Promise.race([gone, sleep(quietMs)]);
  socket.destroy();
  await gone;
  return Buffer.concat(chunks).toString("latin1");
}
