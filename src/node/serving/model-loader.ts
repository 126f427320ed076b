import { settleBefore } from "../../embed/settle-before.ts";
import { EmbedError } from "../../errors.ts";
import type { ModelState } from "../../service/served-model.ts";
import { abandoned, createMemoryRoom } from "./memory-room.ts";
import type { LoadedModel, ModelSlot, ModelToLoad } from "./model-slot.ts";

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

/**
 * Loads models when they are first called, and takes the one whose last call is longest ago out of memory where another
 * needs its room. A model with a call that waits or works is never taken out. One is loaded at a time, in the order of the
 * calls.
 */
export function createModelLoader<Loaded extends LoadedModel>(
  options: ModelLoaderOptions<Loaded>,
): ModelLoader<Loaded> {
  type Slot = ModelSlot<Loaded>;
  const { maxBytes, onEvent = () => undefined } = options;
  const limits = { ...defaultModelLoaderLimits, ...options.limits };
  const toSlot = (model: ModelToLoad<Loaded>): Slot => ({ model, state: "unloaded", holders: 0, lastUse: 0 });
  const [firstModel, ...others] = options.models;
  const first = toSlot(firstModel);
  const slots = [first, ...others.map(toSlot)] as const;
  let uses = 0;
  let lastLoad: Promise<unknown> = Promise.resolve();
  let closedBy: EmbedError | undefined;
  const room = createMemoryRoom<Loaded>({
    slots,
    maxBytes,
    waitMaxMs: limits.roomMaxMs,
    closedBy: () => closedBy,
    onUnloaded: (model, bytes) => onEvent({ kind: "unloaded", model, bytes }),
  });

  async function open(slot: Slot): Promise<void> {
    await slot.ending;
    if (slot !== first) await room.makeFor(slot);
    if (closedBy) throw closedBy;
    const loaded = slot.model.open();
    slot.loaded = loaded;
    try {
      await loaded.ready;
      slot.knownBytes = room.bytesOf(slot);
      // What it takes is known only now.
      if (slot !== first) await room.makeFor(slot);
    } catch (error) {
      slot.loaded = undefined;
      await loaded.dispose();
      throw closedBy ?? error;
    }
  }

  async function load(slot: Slot): Promise<void> {
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
      onEvent({ kind: "loaded", model: slot.model.name, ms, bytes: room.bytesOf(slot) });
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
      room.noteChange();
    }
  }

  /** Loads it unless that is done, under way, or was in vain a moment ago. */
  function ensureLoaded(slot: Slot): Promise<void> {
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
  function toCallers({ model, failure }: Slot): EmbedError {
    const seconds = Math.max(1, Math.ceil(((failure?.until ?? 0) - performance.now()) / 1000));
    const message = `the model ${model.name} could not be loaded: ${failure?.error.reason}, of which the log says more; it is tried again in ${seconds} s`;
    return new EmbedError("NOT_READY", message, { cause: failure?.error });
  }

  async function hold(slot: Slot, signal?: AbortSignal): Promise<() => void> {
    slot.holders += 1;
    let isHeld = true;
    const letGo = () => {
      if (!isHeld) return;
      isHeld = false;
      slot.holders -= 1;
      slot.lastUse = ++uses;
      if (slot.holders === 0) room.noteChange();
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
    memoryBytes: room.usedBytes,
    async loadAll() {
      for (const slot of slots) {
        // What it needs is known then. If it cannot be brought, `hold` tells.
        if (slot !== first) await slot.model.prepare().catch(() => undefined);
        const freeBytes = maxBytes - room.usedBytes();
        if (slot !== first && slot.state === "unloaded" && room.bytesOf(slot) > freeBytes) {
          onEvent({ kind: "left-out", model: slot.model.name, bytes: room.bytesOf(slot), freeBytes });
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
      room.noteChange();
      await Promise.all(slots.map(async (slot) => (slot.loaded ? slot.loaded.dispose() : slot.ending)));
    },
  };
}
