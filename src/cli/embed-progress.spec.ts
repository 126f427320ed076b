import { expect, test } from "vitest";
import { createTerminal } from "../../tools/create-terminal.ts";
import { createEmbedProgress } from "./embed-progress.ts";

test("without a terminal: only the lines", () => {
  const terminal = createTerminal(false);
  const progress = createEmbedProgress(2, terminal.output);
  progress.start("simd");
  progress.advance();
  progress.say("portico: b.jpg: no");
  progress.advance();
  progress.stop();
  expect(terminal.text()).toBe("portico: b.jpg: no\n");
});

/** Saves the place, draws, clears what is right of it. */
const drawn = (bar: string) => `\x1b7\x1b[1G${bar}\x1b[0K`;
/** Back to the saved place, and the row is cleared. */
const cleared = "\x1b8\x1b[1G\x1b[2K";

test("on a terminal: a line stands above the bar, which goes on where it was", () => {
  const terminal = createTerminal(true);
  const progress = createEmbedProgress(4, terminal.output);
  terminal.pass(5_000);
  progress.start("simd");
  terminal.pass(500);
  progress.advance();
  progress.say("portico: b.jpg: no");
  progress.advance();
  terminal.pass(1_000);
  progress.stop();
  progress.stop();
  const empty = drawn(`[${"-".repeat(30)}] 0 of 4 pictures, ? left`);
  const quarter = `[${"=".repeat(8)}${"-".repeat(22)}] 1 of 4 pictures, 2 s left`;
  const half = `[${"=".repeat(15)}${"-".repeat(15)}] 2 of 4 pictures, 1 s left`;
  expect(terminal.text().replaceAll("\x1b", "ESC").split("\n")).toEqual(
    [
      `${empty}\x1b[1G${quarter}\x1b[0K${cleared}portico: b.jpg: no`,
      `${drawn(quarter)}\x1b[1G${half}\x1b[0K${cleared}2 of 4 pictures in 2 s on simd`,
      "",
    ].map((line) => line.replaceAll("\x1b", "ESC")),
  );
});

test("on a terminal: nothing is drawn before it starts", () => {
  const terminal = createTerminal(true);
  createEmbedProgress(1, terminal.output).stop();
  expect(terminal.text()).toBe("");
});

test("never turns the terminal's line wrap off", () => {
  const terminal = createTerminal(true);
  const progress = createEmbedProgress(1, terminal.output);
  progress.start("simd");
  progress.stop();
  expect(terminal.text()).not.toContain("\x1b[?7l");
});
