import { Writable } from "node:stream";

/** A stream that keeps what it is given, with what cli-progress asks of a terminal, and a clock. */
export function createTerminal(isTTY: boolean) {
  let text = "";
  let nowMs = 0;
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    }),
    { isTTY, columns: 120, cursorTo: () => true, clearLine: () => true, moveCursor: () => true },
  );
  return {
    output: { stream, isTTY, now: () => nowMs },
    pass: (ms: number) => {
      nowMs += ms;
    },
    text: () => text,
  };
}
