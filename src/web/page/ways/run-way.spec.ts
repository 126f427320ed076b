import { describe, expect, test } from "vitest";
import { EmbedError, type Reason } from "../../../errors.ts";
import { createStore, type Store } from "../state/store.ts";
import type { WayName } from "../state/way-names.ts";
import type { OpenWay, OpenWayContext, WayAnswer } from "./open-way.ts";
import { type RunningWay, runWay } from "./run-way.ts";

const answer: WayAnswer = {
  ...{ vector: Float32Array.of(1), vectorSpace: "space", engine: "simd" },
  timings: { decodeMs: 1, preprocessMs: 1, inferMs: 1 },
};

interface Call {
  readonly id: string;
  readonly signal: AbortSignal;
  answer(): void;
  fail(reason: Reason): void;
}

/** A way whose answers the test gives, over a store with readable pictures; their files have their ids as type. */
function startWay(name: WayName, ids: readonly number[], concurrency = 1) {
  const store = createStore();
  const calls: Call[] = [];
  let closings = 0;
  const open = async ({ onStatus }: OpenWayContext): Promise<OpenWay> => {
    onStatus({ kind: "ready", engine: "simd", adapter: "" });
    return {
      concurrency,
      embed: ({ type }, signal) =>
        new Promise((resolve, reject) => {
          const fail = (reason: Reason) => reject(new EmbedError(reason, "on purpose"));
          signal.addEventListener("abort", () => fail("CANCELLED"));
          calls.push({ id: type, signal, answer: () => resolve(answer), fail });
        }),
      close: async () => void closings++,
    };
  };
  store.dispatch({ kind: "way-switched", way: name, isOn: true });
  addPictures(store, ids);
  const way: RunningWay = runWay({ name, open, store, fileOf: (id) => new Blob([], { type: `${id}` }) });
  store.subscribe(() => way.pump());
  return { store, calls, way, closings: () => closings };
}

function addPictures(store: Store, ids: readonly number[]): void {
  const seen = { width: 1, height: 1, data: new Uint8Array(3) };
  store.dispatch({ kind: "pictures-added", pictures: ids.map((id) => ({ id, name: `${id}`, bytes: 1 })) });
  for (const id of ids) {
    const preview = { kind: "ready", format: "png", width: 1, height: 1, seen } as const;
    store.dispatch({ kind: "preview-made", id, preview });
  }
}

const outcomesOf = (store: Store, way: WayName) =>
  store.get().pictures.map(({ outcomes }) => {
    const outcome = outcomes[way];
    return outcome?.kind === "failed" ? outcome.error.reason : outcome?.kind;
  });
const idsOf = (calls: readonly Call[]) => calls.map(({ id }) => id);

describe("a running way", () => {
  test("takes pictures in their order, as many at once as it can", async () => {
    const { store, calls } = startWay("server", [1, 2, 3], 2);
    await expect.poll(() => idsOf(calls)).toEqual(["1", "2"]);
    expect(outcomesOf(store, "server")).toEqual(["working", "working", undefined]);
    calls[1]?.answer();
    await expect.poll(() => idsOf(calls)).toEqual(["1", "2", "3"]);
    expect(outcomesOf(store, "server")).toEqual(["working", "done", "working"]);
  });

  test("takes pictures that come later, but none that cannot be read", async () => {
    const { store, calls } = startWay("simd", []);
    const refusal = { reason: "SOURCE_TOO_LARGE", message: "too large" } as const;
    store.dispatch({ kind: "pictures-added", pictures: [{ id: 1, name: "1", bytes: 1, refusal }] });
    addPictures(store, [2]);
    await expect.poll(() => idsOf(calls)).toEqual(["2"]);
  });

  test("goes on after a picture that failed", async () => {
    const { store, calls } = startWay("server", [1, 2]);
    await expect.poll(() => calls).toHaveLength(1);
    calls[0]?.fail("IMAGE_TOO_SLOW");
    await expect.poll(() => calls).toHaveLength(2);
    expect(outcomesOf(store, "server")).toEqual(["IMAGE_TOO_SLOW", "working"]);
    expect(store.get().ways.server.status.kind).toBe("ready");
  });

  test("drops a picture that is removed", async () => {
    const { store, calls } = startWay("simd", [1, 2]);
    await expect.poll(() => calls).toHaveLength(1);
    store.dispatch({ kind: "picture-removed", id: 1 });
    expect(calls[0]?.signal.aborted).toBe(true);
    await expect.poll(() => idsOf(calls)).toEqual(["1", "2"]);
  });

  test("over a server ends with the first sign that the server is gone", async () => {
    const { store, calls, closings } = startWay("server", [1, 2, 3], 2);
    await expect.poll(() => calls).toHaveLength(2);
    calls[0]?.fail("SERVER_UNREACHABLE");
    await expect.poll(() => store.get().ways.server.status.kind).toBe("failed");
    calls[1]?.fail("SERVER_UNREACHABLE");
    await expect
      .poll(() => outcomesOf(store, "server"))
      .toEqual(["SERVER_UNREACHABLE", "SERVER_UNREACHABLE", undefined]);
    expect(closings()).toBe(1);
    expect(calls).toHaveLength(2);
  });

  test.each<{ what: string; outcomes: readonly (Reason | "done")[]; status: string }>([
    { what: "one fault", outcomes: ["ENGINE_FAILED"], status: "ready" },
    {
      what: "faults with a vector between them",
      outcomes: ["ENGINE_FAILED", "done", "ENGINE_FAILED"],
      status: "ready",
    },
    { what: "two faults in a row", outcomes: ["ENGINE_FAILED", "ENGINE_FAILED"], status: "failed" },
  ])("in the browser is $status after $what", async ({ outcomes, status }) => {
    const { store, calls } = startWay("simd", [1, 2, 3, 4]);
    for (const [index, outcome] of outcomes.entries()) {
      await expect.poll(() => calls).toHaveLength(index + 1);
      if (outcome === "done") calls[index]?.answer();
      else calls[index]?.fail(outcome);
    }
    await expect.poll(() => outcomesOf(store, "simd").slice(0, outcomes.length)).toEqual(outcomes);
    expect(store.get().ways.simd.status.kind).toBe(status);
  });

  test("in the browser forgets the pictures that end with it, so that they are asked for again", async () => {
    const { store, calls, closings } = startWay("ort-webgpu", [1, 2, 3, 4], 3);
    await expect.poll(() => calls).toHaveLength(3);
    calls[0]?.fail("ENGINE_FAILED");
    calls[1]?.fail("ENGINE_FAILED");
    await expect.poll(() => closings()).toBe(1);
    // What an embedder says of all that it holds when it is disposed of.
    for (const call of calls.slice(2)) call.fail("SHUTTING_DOWN");
    await expect
      .poll(() => outcomesOf(store, "ort-webgpu"))
      .toEqual(["ENGINE_FAILED", "ENGINE_FAILED", undefined, undefined]);
  });

  test("that is stopped closes, and forgets what it worked on", async () => {
    const { store, calls, way, closings } = startWay("simd", [1, 2]);
    await expect.poll(() => calls).toHaveLength(1);
    way.stop();
    expect(calls[0]?.signal.aborted).toBe(true);
    expect(closings()).toBe(1);
    expect(outcomesOf(store, "simd")).toEqual([undefined, undefined]);
    way.pump();
    expect(calls).toHaveLength(1);
  });
});

test("a way that cannot be opened fails with the reason", async () => {
  const store = createStore();
  const open = () => Promise.reject(new EmbedError("MODEL_UNREACHABLE", "no network"));
  runWay({ name: "simd", open, store, fileOf: () => undefined });
  const error = { reason: "MODEL_UNREACHABLE", message: "no network" };
  await expect.poll(() => store.get().ways.simd.status).toEqual({ kind: "failed", error });
});
