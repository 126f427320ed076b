import type { Embedder } from "../../embed/embedder.ts";
import { settleBefore } from "../../embed/settle-before.ts";
import { EmbedError } from "../../errors.ts";
import type { ModelState, ServedEmbedder } from "../../service/served-model.ts";

/** What holds a model in memory: a pool of workers. */
export interface LoadedModel extends ServedEmbedder, Pick<Embedder, "ready" | "dispose"> {
  /** What it takes, in bytes. */
  memoryBytes(): number;
}

export interface ModelToLoad<Loaded extends LoadedModel> {
  readonly name: string;
  /** Brings its file; costs next to nothing once that is there. What it takes counts for no bound of memory. */
  readonly prepare: () => Promise<unknown>;
  /** Opens its workers. */
  readonly open: () => Loaded;
  /** What it will take at most, as far as that is known before it was loaded once, in bytes. */
  readonly expectedBytes: () => number;
  /** What it will take at least. */
  readonly leastBytes: () => number;
}

export interface ModelLoaderOptions<Loaded extends LoadedModel> {
  /** The first is loaded at once and stays. */
  readonly models: readonly [ModelToLoad<Loaded>, ...ModelToLoad<Loaded>[]];
  /** What all models in memory may take together, in bytes. The first is loaded whatever it takes. */
  readonly maxBytes: number;
  readonly limits?: Partial<ModelLoaderLimits>;
  readonly onEvent?: (event: LoadEvent) => void;
}

export interface ModelLoaderLimits {
  /** How long a model that could not be loaded is not tried again; its calls fail at once meanwhile. */
  readonly retryAfterMs: number;
  /** How long a model waits for others to be without work, so that one of them can make room for it. */
  readonly roomMaxMs: number;
}

/**
 * 10 s: a file that was mended, or a registry that came back, is found soon, and one that was not costs little. 30 s: as long
 * as one picture may take; a model that is never without work for so long would keep its callers waiting for ever.
 */
export const defaultModelLoaderLimits: ModelLoaderLimits = { retryAfterMs: 10_000, roomMaxMs: 30_000 };

/** What became of a model; `bytes` is memory. */
export type LoadEvent = { readonly model: string } & (
  | { readonly kind: "loaded"; readonly ms: number; readonly bytes: number }
  | { readonly kind: "unloaded"; readonly bytes: number }
  | { readonly kind: "load-failed"; readonly error: EmbedError; readonly retryInMs: number }
  /** At the start, where models in memory are not to make room for others. */
  | { readonly kind: "left-out"; readonly bytes: number; readonly freeBytes: number }
);

export interface LoadableModel<Loaded extends LoadedModel> {
  readonly name: string;
  state(): ModelState;
  /** Undefined while it is not in memory. */
  loaded(): Loaded | undefined;
  /** As that of a `ServedModel`. */
  hold(signal?: AbortSignal): Promise<() => void>;
}

export interface ModelLoader<Loaded extends LoadedModel> {
  /** In the order of the options. */
  readonly models: readonly LoadableModel<Loaded>[];
  /** Loads all models, one after the other, as far as memory holds them without one that is there. Never rejects. */
  loadAll(): Promise<void>;
  /** What the models in memory take, in bytes. */
  memoryBytes(): number;
  /** Ends all; calls that wait fail with SHUTTING_DOWN. */
  close(): Promise<void>;
}

interface Slot<Loaded extends LoadedModel> {
  readonly model: ModelToLoad<Loaded>;
  state: ModelState;
  loaded?: Loaded | undefined;
  /** While it is being loaded. */
  loading?: Promise<void> | undefined;
  /** While its workers end. */
  ending?: Promise<void> | undefined;
  /** Calls that wait for it or work with it. */
  holders: number;
  /** Number of the use that ended last. */
  lastUse: number;
  failure?: { readonly error: EmbedError; readonly until: number } | undefined;
  /** What it took when it was last in memory. */
  knownBytes?: number;
}

/** Of a model that waited for room, and all its callers have gone. */
const abandoned = new EmbedError("CANCELLED", "nobody waits for the model any more");

/**
 * Loads models when they are first called, and takes the one whose last call is longest ago out of memory where another
 * needs its room. A model with a call that waits or works is never taken out. One is loaded at a time, in the order of the
 * calls.
 */
export function createModelLoader<Loaded extends LoadedModel>(
  options: ModelLoaderOptions<Loaded>,
): ModelLoader<Loaded> {
  const { maxBytes, onEvent = () => undefined } = options;
  const limits = { ...defaultModelLoaderLimits, ...options.limits };
  const slots = options.models.map(
    (model): Slot<Loaded> => ({ model, state: "unloaded", holders: 0, lastUse: 0 }),
  );
  const first = slots[0] as Slot<Loaded>;
  const isWaitingForRoom = new Set<() => void>();
  let uses = 0;
  let lastLoad: Promise<unknown> = Promise.resolve();
  let closedBy: EmbedError | undefined;

  /** Now, or as it was, or as it may be. */
  function bytesOf({ loaded, knownBytes, model }: Slot<Loaded>): number {
    return loaded?.memoryBytes() || (knownBytes ?? model.expectedBytes());
  }

  /** As far as one knows: what it took shows that, what is expected does not. */
  function leastBytesOf({ loaded, knownBytes, model }: Slot<Loaded>): number {
    return loaded?.memoryBytes() || (knownBytes ?? model.leastBytes());
  }

  const sum = (some: readonly Slot<Loaded>[]) => some.reduce((bytes, slot) => bytes + bytesOf(slot), 0);
  const inMemory = () => slots.filter(({ loaded, ending }) => loaded ?? ending);

  function noteChange(): void {
    for (const wake of isWaitingForRoom) wake();
  }

  /** Until a model is without work or out of memory, but no longer than until then. */
  function nextChange(until: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        isWaitingForRoom.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, until - performance.now()));
      isWaitingForRoom.add(wake);
    });
  }

  async function unload(slot: Slot<Loaded>): Promise<void> {
    const { loaded } = slot;
    if (!loaded) return;
    slot.knownBytes = bytesOf(slot);
    slot.state = "unloaded";
    slot.loaded = undefined;
    slot.ending = loaded.dispose().finally(() => {
      slot.ending = undefined;
    });
    await slot.ending;
    onEvent({ kind: "unloaded", model: slot.model.name, bytes: slot.knownBytes });
    noteChange();
  }

  /** Takes others out of memory until this one has room beside the rest. @throws EmbedError if there will be none */
  async function makeRoom(slot: Slot<Loaded>): Promise<void> {
    const until = performance.now() + limits.roomMaxMs;
    for (;;) {
      if (closedBy) throw closedBy;
      const others = inMemory().filter((other) => other !== slot);
      if (bytesOf(slot) + sum(others) <= maxBytes) return;
      const least = leastBytesOf(slot);
      if (least + bytesOf(first) > maxBytes) {
        throw new EmbedError(
          "CONFIG_INVALID",
          `expected ${slot.model.name}, which needs at least ${least} bytes, to fit into memory beside ${first.model.name}, which has ${bytesOf(first)} of ${maxBytes} (--max-model-memory-bytes)`,
        );
      }
      const [idle] = others
        .filter((other) => other !== first && other.loaded && other.state === "loaded" && other.holders === 0)
        .toSorted((a, b) => a.lastUse - b.lastUse);
      if (idle) {
        await unload(idle);
        continue;
      }
      // What it takes will show.
      if (others.every((other) => other === first)) return;
      if (slot.holders === 0) throw abandoned;
      if (performance.now() >= until) {
        const names = others.map(({ model }) => model.name).join(", ");
        throw new EmbedError(
          "OVERLOADED",
          `expected a model to be without work within ${limits.roomMaxMs} ms, so that ${slot.model.name} can have its memory, but ${names} had some all the time (--max-model-memory-bytes ${maxBytes})`,
        );
      }
      await nextChange(until);
    }
  }

  async function open(slot: Slot<Loaded>): Promise<void> {
    await slot.ending;
    if (slot !== first) await makeRoom(slot);
    if (closedBy) throw closedBy;
    const loaded = slot.model.open();
    slot.loaded = loaded;
    try {
      await loaded.ready;
      slot.knownBytes = bytesOf(slot);
      // What it takes is known only now.
      if (slot !== first) await makeRoom(slot);
    } catch (error) {
      slot.loaded = undefined;
      await loaded.dispose();
      throw closedBy ?? error;
    }
  }

  async function load(slot: Slot<Loaded>): Promise<void> {
    const startedAt = performance.now();
    slot.state = "loading";
    try {
      if (slot !== first) await slot.model.prepare();
      const turn = lastLoad.then(() => open(slot));
      lastLoad = turn.catch(() => undefined);
      await turn;
      slot.state = "loaded";
      slot.failure = undefined;
      const ms = performance.now() - startedAt;
      onEvent({ kind: "loaded", model: slot.model.name, ms, bytes: bytesOf(slot) });
    } catch (thrown) {
      const error = EmbedError.from(thrown);
      if (closedBy) throw closedBy;
      if (error === abandoned) {
        slot.state = "unloaded";
        throw error;
      }
      // That it found no room is no fault of its own: the next call may find some.
      const hasFailed = error.reason !== "OVERLOADED";
      const retryInMs = hasFailed ? limits.retryAfterMs : 0;
      slot.state = hasFailed ? "failed" : "unloaded";
      slot.failure = { error, until: performance.now() + retryInMs };
      onEvent({ kind: "load-failed", model: slot.model.name, error, retryInMs });
      throw hasFailed && slot !== first ? toCallers(slot) : error;
    } finally {
      slot.loading = undefined;
      noteChange();
    }
  }

  /** Loads it unless that is done, under way, or was in vain a moment ago. */
  function ensureLoaded(slot: Slot<Loaded>): Promise<void> {
    if (closedBy) return Promise.reject(closedBy);
    if (slot.state === "loaded") return Promise.resolve();
    if (slot.failure && performance.now() < slot.failure.until) {
      return Promise.reject(slot === first ? slot.failure.error : toCallers(slot));
    }
    slot.loading ??= load(slot);
    // Whoever awaits it sees the rejection; all may have gone.
    slot.loading.catch(() => undefined);
    return slot.loading;
  }

  /** The whole of it, which may name files of this machine, is for the log. */
  function toCallers({ model, failure }: Slot<Loaded>): EmbedError {
    const seconds = Math.max(1, Math.ceil(((failure?.until ?? 0) - performance.now()) / 1000));
    const message = `the model ${model.name} could not be loaded: ${failure?.error.reason}, of which the log says more; it is tried again in ${seconds} s`;
    return new EmbedError("NOT_READY", message, { cause: failure?.error });
  }

  async function hold(slot: Slot<Loaded>, signal?: AbortSignal): Promise<() => void> {
    slot.holders += 1;
    let isHeld = true;
    const letGo = () => {
      if (!isHeld) return;
      isHeld = false;
      slot.holders -= 1;
      slot.lastUse = ++uses;
      if (slot.holders === 0) noteChange();
    };
    for (;;) {
      try {
        await settleBefore(ensureLoaded(slot), signal);
        return letGo;
      } catch (error) {
        // It was given up in the moment in which this call came.
        if (error === abandoned) continue;
        letGo();
        throw error;
      }
    }
  }

  return {
    models: slots.map((slot) => ({
      name: slot.model.name,
      state: () => slot.state,
      loaded: () => slot.loaded,
      hold: (signal) => hold(slot, signal),
    })),
    memoryBytes: () => sum(inMemory()),
    async loadAll() {
      for (const slot of slots) {
        // What it needs is known then. If it cannot be brought, `hold` tells.
        if (slot !== first) await slot.model.prepare().catch(() => undefined);
        const freeBytes = maxBytes - sum(inMemory());
        if (slot !== first && slot.state === "unloaded" && bytesOf(slot) > freeBytes) {
          onEvent({ kind: "left-out", model: slot.model.name, bytes: bytesOf(slot), freeBytes });
        } else {
          // Whoever is told of events knows why it failed.
          await hold(slot).then(
            (letGo) => letGo(),
            () => undefined,
          );
        }
      }
    },
    async close() {
      closedBy = new EmbedError("SHUTTING_DOWN", "the server stops; call another one");
      noteChange();
      await Promise.all(slots.map(async (slot) => (slot.loaded ? slot.loaded.dispose() : slot.ending)));
    },
  };
}
