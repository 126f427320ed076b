import { expect, test } from "vitest";
import { EmbedError, type Reason, reasonMeanings } from "../../errors.ts";
import { nextEngine } from "./next-engine.ts";
import type { WorkerSetup } from "./worker-protocol.ts";

const setup = { engine: "ort-native", fallbacks: ["simd", "ort-wasm"] } as unknown as WorkerSetup;

const theEngines: readonly Reason[] = [
  "ENGINE_UNSUPPORTED",
  "ENGINE_FAILED",
  "VECTOR_DRIFT",
  "CONFIG_INVALID",
];

test.each(Object.keys(reasonMeanings) as Reason[])("%s", (reason) => {
  const error = new EmbedError(reason, "why");
  const expected = theEngines.includes(reason)
    ? {
        setup: { engine: "simd", fallbacks: ["ort-wasm"] },
        event: { kind: "engine-passed-over", engine: "ort-native", next: "simd", error },
      }
    : undefined;
  expect(nextEngine(setup, error)).toEqual(expected);
});

test.each([[{ ...setup, fallbacks: [] }], [{ engine: "simd" } as WorkerSetup]])(
  "the last one is not passed over",
  (last) => {
    expect(nextEngine(last, new EmbedError("VECTOR_DRIFT", "why"))).toBeUndefined();
  },
);
