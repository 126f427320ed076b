import { describe, expect, test } from "vitest";
import { embedderOfBytes } from "../../../tools/service/byte-embedder.ts";
import { EmbedError } from "../../errors.ts";
import { createModelLoader, type LoadEvent, type ModelLoaderLimits } from "./model-loader.ts";
import type { LoadedModel } from "./model-slot.ts";

interface Opened {
  readonly name: string;
  readonly ready: PromiseWithResolvers<void>;
  isDisposed: boolean;
  bytes: number;
}

/** Models `a`, `b`, `c`, each of 100 bytes; a test says when one is ready. */
function loaderOf(
  maxBytes: number,
  { limits, bytes = 100 }: { readonly limits?: Partial<ModelLoaderLimits>; readonly bytes?: number } = {},
) {
  const opened: Opened[] = [];
  const prepared: string[] = [];
  const events: LoadEvent[] = [];
  let onPrepare = async (_name: string): Promise<void> => undefined;
  const toModel = (name: string) => ({
    name,
    expectedBytes: () => 100,
    leastBytes: () => 60,
    prepare: () => {
      prepared.push(name);
      return onPrepare(name);
    },
    open(): LoadedModel {
      const ready = Promise.withResolvers<void>();
      const one: Opened = { name, ready, isDisposed: false, bytes };
      opened.push(one);
      return {
        ...embedderOfBytes(ready.promise),
        memoryBytes: () => one.bytes,
        async dispose() {
          one.isDisposed = true;
          ready.reject(new EmbedError("SHUTTING_DOWN", "the worker pool is closed"));
        },
      };
    },
  });
  const loader = createModelLoader({
    models: [toModel("a"), toModel("b"), toModel("c")],
    maxBytes,
    ...(limits && { limits }),
    onEvent: (event) => events.push(event),
  });
  const [a, b, c] = loader.models;
  const names = (some: readonly Opened[]) => some.map(({ name }) => name).join(" ");
  return {
    ...{ loader, opened, prepared, events, a: a!, b: b!, c: c! },
    /** Who is open now. */
    open: () => names(opened.filter(({ isDisposed }) => !isDisposed)),
    onPrepare: (act: typeof onPrepare) => {
      onPrepare = act;
    },
    /** Lets the next one be ready that is opened, or that was. */
    async settle(error?: EmbedError) {
      await expect.poll(() => opened.find((one) => !settled.has(one) && !one.isDisposed)).toBeDefined();
      const one = opened.find((each) => !settled.has(each) && !each.isDisposed) as Opened;
      settled.add(one);
      if (error) one.ready.reject(error);
      else one.ready.resolve();
      return one.name;
    },
  };
}
const settled = new WeakSet<Opened>();

/** A loader whose first model is in memory. */
async function started(...options: Parameters<typeof loaderOf>) {
  const test = loaderOf(...options);
  const held = test.a.hold();
  await test.settle();
  (await held)();
  return test;
}

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => "ok",
    (error: unknown) => `${EmbedError.from(error).reason}: ${EmbedError.from(error).message}`,
  );
/** Long enough for whatever would happen wrongly. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 30));

describe("loading", () => {
  test("happens at the first call, once for all that wait, and one model at a time", async () => {
    const { b, c, opened, settle, prepared } = await started(1_000);
    expect([b.state(), c.state()]).toEqual(["unloaded", "unloaded"]);
    const calls = [b.hold(), c.hold(), b.hold()];
    await aMoment();
    expect([b.state(), c.state(), opened.length]).toEqual(["loading", "loading", 2]);
    expect(await settle()).toBe("b");
    expect(await settle()).toBe("c");
    await Promise.all(calls);
    expect([b.state(), c.state(), opened.length]).toEqual(["loaded", "loaded", 3]);
    expect(prepared).toEqual(["b", "c"]);
  });

  test("of a model whose file is being fetched holds up no other", async () => {
    const { b, c, settle, onPrepare } = await started(1_000);
    const fetched = Promise.withResolvers<void>();
    onPrepare((name) => (name === "b" ? fetched.promise : Promise.resolve()));
    const slow = b.hold();
    const quick = c.hold();
    expect(await settle()).toBe("c");
    await quick;
    fetched.resolve();
    await settle();
    await slow;
  });

  test("goes on though its caller has gone, for those who come after", async () => {
    const { b, settle, opened } = await started(1_000);
    const gone = failureOf(b.hold(AbortSignal.timeout(20)));
    expect(await gone).toBe("DEADLINE_EXCEEDED: the caller's deadline passed before the work was done");
    await settle();
    await b.hold();
    expect(opened).toHaveLength(2);
  });

  test("that fails is told to callers by its reason, and tried again after a while", async () => {
    const { b, settle, opened, events } = await started(1_000, { limits: { retryAfterMs: 200 } });
    const first = failureOf(b.hold());
    await settle(new EmbedError("MODEL_CORRUPT", "/secret/path: the file is broken"));
    const told =
      "NOT_READY: the model b could not be loaded: MODEL_CORRUPT, of which the log says more; it is tried again in 1 s";
    expect(await first).toBe(told);
    expect(await failureOf(b.hold())).toBe(told);
    expect([b.state(), opened.length]).toEqual(["failed", 2]);
    expect(events.at(-1)).toMatchObject({
      kind: "load-failed",
      model: "b",
      error: { message: "/secret/path: the file is broken" },
      retryInMs: 200,
    });
    await new Promise((resolve) => setTimeout(resolve, 250));
    const again = b.hold();
    await settle();
    await again;
    expect(b.state()).toBe("loaded");
  });

  test("of the first that fails is told as it is", async () => {
    const { a, settle } = loaderOf(0);
    const call = failureOf(a.hold());
    await settle(new EmbedError("MODEL_CORRUPT", "the file is broken"));
    expect(await call).toBe("MODEL_CORRUPT: the file is broken");
  });
});

describe("memory", () => {
  test("is made by the idle model whose last call is longest ago, never by the first", async () => {
    const { b, c, settle, open, a, events } = await started(250);
    const first = b.hold();
    await settle();
    (await first)();
    const second = c.hold();
    await settle();
    (await second)();
    expect(open()).toBe("a c");
    expect([a.state(), b.state(), c.state()]).toEqual(["loaded", "unloaded", "loaded"]);
    expect(events.map(({ kind, model }) => `${kind} ${model}`)).toEqual([
      "loaded a",
      "loaded b",
      "unloaded b",
      "loaded c",
    ]);
  });

  test("is not taken from a model with a call: the other waits until there is none", async () => {
    const { b, c, settle, open } = await started(250);
    const holding = b.hold();
    await settle();
    const letGo = await holding;
    const waiting = c.hold();
    await aMoment();
    expect([open(), c.state()]).toEqual(["a b", "loading"]);
    letGo();
    letGo();
    await settle();
    await waiting;
    expect(open()).toBe("a c");
  });

  test("a model that is never without work does not keep others waiting for ever", async () => {
    const { b, c, settle, open } = await started(250, { limits: { roomMaxMs: 50 } });
    const holding = b.hold();
    await settle();
    const letGo = await holding;
    expect(await failureOf(c.hold())).toBe(
      "OVERLOADED: expected a model to be without work within 50 ms, so that c can have its memory, but a, b had some all the time (--max-model-memory-bytes 250)",
    );
    expect([open(), c.state()]).toEqual(["a b", "unloaded"]);
    letGo();
    const now = c.hold();
    await settle();
    await now;
  });

  test("a model that nobody waits for any more takes no other's", async () => {
    const { b, c, settle, open } = await started(250);
    const holding = b.hold();
    await settle();
    const letGo = await holding;
    await failureOf(c.hold(AbortSignal.timeout(10)));
    letGo();
    await aMoment();
    expect([open(), c.state()]).toEqual(["a b", "unloaded"]);
  });

  test("that a model can never have makes its calls fail, and takes nobody's", async () => {
    const { b, open, events } = await started(150);
    expect(await failureOf(b.hold())).toMatch(
      /^NOT_READY: the model b could not be loaded: CONFIG_INVALID, /,
    );
    expect(open()).toBe("a");
    expect(events.at(-1)).toMatchObject({
      error: {
        message:
          "expected b, which needs at least 60 bytes, to fit into memory beside a, which has 100 of 150 (--max-model-memory-bytes)",
      },
    });
  });

  test("that may do for a model is tried: what it takes shows", async () => {
    const { b, settle, open, opened } = await started(170);
    const call = b.hold();
    await expect.poll(() => opened.length).toBe(2);
    opened[1]!.bytes = 65;
    await settle();
    await call;
    expect(open()).toBe("a b");
  });

  test("is counted as the model shows it once it is open", async () => {
    const { b, settle, open, opened, loader } = await started(250);
    const call = failureOf(b.hold());
    await expect.poll(() => opened.length).toBe(2);
    opened[1]!.bytes = 200;
    await settle();
    expect(await call).toMatch(/CONFIG_INVALID/);
    expect([open(), loader.memoryBytes()]).toEqual(["a", 100]);
  });

  test("at the start is filled in order, and nothing makes room", async () => {
    const { loader, settle, open, events, c } = loaderOf(250);
    const all = loader.loadAll();
    await settle();
    await settle();
    await all;
    expect([open(), c.state()]).toEqual(["a b", "unloaded"]);
    expect(events.at(-1)).toEqual({ kind: "left-out", model: "c", bytes: 100, freeBytes: 50 });
  });
});

test("close ends all, and who waits is told", async () => {
  const { loader, b, c, open, settle } = await started(250);
  const holding = b.hold();
  await settle();
  await holding;
  const waiting = failureOf(c.hold());
  await aMoment();
  await loader.close();
  const told = "SHUTTING_DOWN: the server stops; call another one";
  expect([await waiting, await failureOf(b.hold()), open()]).toEqual([told, told, ""]);
});
