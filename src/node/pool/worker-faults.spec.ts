import { expect, test } from "vitest";
import {
  type KillRunReport,
  killRunGangs,
  killRunResnet50,
  killRunTiny,
} from "../../../tools/faults/kill-run.ts";

/** A minute of it is `npm run faults`. */
const runs: [string, () => Promise<KillRunReport>][] = [
  ["a tiny network", () => killRunTiny({ seconds: 5, killEveryMs: 500 })],
  ["a tiny network, pictures shared by gangs", () => killRunGangs({ seconds: 10, killEveryMs: 1_000 })],
  // A worker of onnxruntime-web takes more than a second to start; killed as often as the others', it hardly comes to work.
  ["ResNet50", () => killRunResnet50({ seconds: 8, killEveryMs: 3_000 })],
  ["ResNet50, simd", () => killRunResnet50({ seconds: 8, killEveryMs: 1_500 }, "simd")],
];

test.each(runs)(
  "workers killed at random under load: right vectors or a retryable error (%s)",
  { timeout: 180_000 },
  async (_, run) => {
    const { right, kills, defects } = await run();
    expect(defects).toEqual([]);
    expect(right).toBeGreaterThan(0);
    expect(kills).toBeGreaterThan(2);
  },
);
