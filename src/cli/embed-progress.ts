import { Presets, SingleBar } from "cli-progress";
import type { ProgressOutput } from "./progress-output.ts";

export interface EmbedProgress {
  /** Draws the bar and starts the clock; the model is ready, so that no other bar is there. */
  readonly start: (engine: string) => void;
  /** One more picture is done. */
  readonly advance: () => void;
  /** Writes a line of its own, above the bar. */
  readonly say: (line: string) => void;
  /** Puts a line with what was done in the bar's place. */
  readonly stop: () => void;
}

/** Shows on a terminal how many pictures are done; elsewhere it only passes lines on. */
export function createEmbedProgress(total: number, { stream, isTTY, now }: ProgressOutput): EmbedProgress {
  const say = (line: string) => void stream.write(`${line}\n`);
  if (!isTTY) {
    const nothing = () => undefined;
    return { start: nothing, advance: nothing, say, stop: nothing };
  }

  const format = "[{bar}] {value} of {total} pictures, {left} left";
  // Without line wrap the terminal would stay so after Ctrl-C.
  const options = { stream, format, barsize: 30, linewrap: true, clearOnComplete: true };
  const bar = new SingleBar(options, Presets.legacy);
  let startedMs = 0;
  let engine = "";
  let done = 0;
  const left = () => (done === 0 ? "?" : describeTime((total - done) * ((now() - startedMs) / done)));
  return {
    start(name) {
      engine = name;
      startedMs = now();
      bar.start(total, 0, { left: left() });
    },
    advance() {
      done += 1;
      bar.update(done, { left: left() });
    },
    say(line) {
      // The bar remembers its row, and a line moves it, so it starts anew below.
      bar.stop();
      say(line);
      bar.start(total, done, { left: left() });
    },
    stop() {
      if (!bar.isActive) return;
      bar.stop();
      say(`${done} of ${total} pictures in ${describeTime(now() - startedMs)} on ${engine}`);
    },
  };
}

function describeTime(timeMs: number): string {
  const seconds = Math.ceil(timeMs / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
