import { Presets, SingleBar } from "cli-progress";
import type { ModelDescription } from "../embed/model-manifest.ts";
import { labelOf } from "../embed/pick-variant.ts";
import { nameSource } from "../node/model/model-cache.ts";
import type { PrepareEvent } from "../node/model/model-store.ts";
import type { ProgressOutput } from "./progress-output.ts";

export interface PrepareProgress {
  readonly report: (event: PrepareEvent) => void;
  /** Takes the progress bar off; nothing may be reported afterwards. */
  readonly stop: () => void;
}

/** Without a terminal a line comes at most this often. */
const lineEveryMs = 5_000;

/** Shows what `prepareModel` does: a progress bar on a terminal, plain lines elsewhere. */
export function createPrepareProgress(manifest: ModelDescription, output: ProgressOutput): PrepareProgress {
  const say = (text: string) => output.stream.write(`${labelOf(manifest)}: ${text}\n`);
  let bar: SingleBar | undefined;
  let startedMs = 0;
  let lastLineMs = Number.NEGATIVE_INFINITY;

  const stop = () => {
    bar?.stop();
    bar = undefined;
  };

  const showDownload = ({ source, receivedBytes }: PrepareEvent & { kind: "downloading" }) => {
    const now = output.now();
    if (receivedBytes === 0) {
      stop();
      startedMs = now;
      lastLineMs = now;
      const how = source.kind === "npm" ? ", as npm is configured" : "";
      say(`fetching ${nameSource(source)}, ${megabytes(source.bytes)} MB${how}`);
      if (output.isTTY) bar = startBar(output.stream, source.bytes);
      return;
    }
    const seconds = Math.max(now - startedMs, 1) / 1000;
    const bytesPerSecond = receivedBytes / seconds;
    const speed = megabytes(bytesPerSecond);
    const left = Math.ceil((source.bytes - receivedBytes) / bytesPerSecond);
    if (bar) {
      bar.update(receivedBytes, { received: megabytes(receivedBytes), speed, left });
    } else if (now - lastLineMs >= lineEveryMs) {
      lastLineMs = now;
      const share = Math.floor((100 * receivedBytes) / source.bytes);
      const done = `${megabytes(receivedBytes)} of ${megabytes(source.bytes)} MB (${share} %)`;
      say(`${done}, ${speed} MB/s, ${left} s left`);
    }
  };

  const report = (event: PrepareEvent) => {
    if (event.kind === "downloading") {
      showDownload(event);
      return;
    }
    stop();
    say(describeEvent(event));
  };
  return { report, stop };
}

function describeEvent(event: Exclude<PrepareEvent, { kind: "downloading" }>): string {
  switch (event.kind) {
    case "waiting":
      return `process ${event.pid} on ${event.host} prepares it already; waiting for it`;
    case "restarting":
      return `an earlier download was interrupted after ${megabytes(event.lostBytes)} MB; it starts again`;
    case "unreachable":
      return `${event.message}; trying the next source`;
    case "by-hand":
      return `taking the weights from ${event.file}`;
    case "converting":
      return "the hash is right; converting to ONNX";
  }
}

function startBar(stream: NodeJS.WritableStream, totalBytes: number): SingleBar {
  const format = `[{bar}] {percentage} % {received} of ${megabytes(totalBytes)} MB, {speed} MB/s, {left} s left`;
  // Without line wrap the terminal would stay so after Ctrl-C.
  const bar = new SingleBar({ stream, format, barsize: 30, linewrap: true }, Presets.legacy);
  bar.start(totalBytes, 0, { received: megabytes(0), speed: megabytes(0), left: "?" });
  return bar;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
