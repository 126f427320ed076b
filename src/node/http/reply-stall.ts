import type { HttpResponse } from "./http-types.ts";

/** Looks per stall time: a stall ends at most a fourth of that time late, and never early. */
const looksPerStall = 4;

/**
 * Tells when the client takes nothing of a reply for `stallMs` although there is something to take: once, and
 * then no more. A reply that nothing is written to may take its time.
 */
export function limitReplyStall(response: HttpResponse, stallMs: number, onStall: () => void): void {
  // Looks are counted, not time: while this process itself is held up, nothing can be sent either.
  let quietLooks = 0;
  const onDrain = () => {
    quietLooks = 0;
  };
  const timer = setInterval(() => {
    quietLooks = hasBytesWaiting(response) ? quietLooks + 1 : 0;
    if (quietLooks <= looksPerStall) return;
    clearInterval(timer);
    onStall();
  }, stallMs / looksPerStall);
  timer.unref();
  response.on("drain", onDrain);
  response.once("close", () => clearInterval(timer));
}

function hasBytesWaiting(response: HttpResponse): boolean {
  if (response.writableEnded) return isNext(response);
  return isNext(response) && response.writableLength > 0;
}

/** Over HTTP/1.1 a reply to a pipelined request waits for the one before it, and has no socket until then. */
function isNext(response: HttpResponse): boolean {
  return "stream" in response || response.socket !== null;
}
