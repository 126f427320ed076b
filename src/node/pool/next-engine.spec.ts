import { expect, test } from "vitest";
import type { EngineName } from "../../engine/engine.ts";
import { EmbedError, type Reason, reasonMeanings } from "../../errors.ts";
import { nextEngine, nextEngineAfterLoss } from "./next-engine.ts";
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

test.each<[EngineName, Reason, EngineName | undefined]>([
  ["ort-webgpu", "ENGINE_FAILED", "simd"],
  ["ort-webgpu", "IMAGE_TOO_SLOW", undefined],
  ["ort-native", "ENGINE_FAILED", undefined],
])("a worker with %s that is lost with %s later: next is %s", (engine, reason, next) => {
  const found = nextEngineAfterLoss({ ...setup, engine, fallbacks: ["simd"] }, new EmbedError(reason, "why"));
  expect(found?.setup.engine).toBe(next);
});
