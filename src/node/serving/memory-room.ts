import { EmbedError } from "../../errors.ts";
import type { LoadedModel, ModelSlot } from "./model-slot.ts";

export interface MemoryRoomOptions<Loaded extends LoadedModel> {
  /** All models; the first is never taken out of memory. */
  readonly slots: readonly [ModelSlot<Loaded>, ...ModelSlot<Loaded>[]];
  /** What all models in memory may take together, in bytes. */
  readonly maxBytes: number;
  /** How long a model waits for others to be without work. */
  readonly waitMaxMs: number;
  /** Why no room is made any more. */
  readonly closedBy: () => EmbedError | undefined;
  /** A model was taken out of memory, which it had so many bytes of. */
  readonly onUnloaded: (model: string, bytes: number) => void;
}

/** What the models in memory take, and how one more finds its place there. */
export interface MemoryRoom<Loaded extends LoadedModel> {
  /** What a model takes now, or took when it was last in memory, or may take at most, in bytes. */
  bytesOf(slot: ModelSlot<Loaded>): number;
  /** What the models in memory take together, in bytes. */
  usedBytes(): number;
  /**
   * Takes others out of memory, the one whose last use is longest ago first, until this one, which is not the first, has room
   * beside the rest.
   * @throws EmbedError `CONFIG_INVALID` if it can never have any, `OVERLOADED` if the others had work all the time,
   *   `abandoned` if nobody holds it any more, and what `closedBy` says
   */
  makeFor(slot: ModelSlot<Loaded>): Promise<void>;
  /** To be called whenever a model is without work or out of memory: whoever waits looks again. */
  noteChange(): void;
}

/** Of a model that waited for room, and all its callers have gone. */
export const abandoned = new EmbedError("CANCELLED", "nobody waits for the model any more");

/** Makes room in memory. A model with a call that waits or works is never taken out. */
export function createMemoryRoom<Loaded extends LoadedModel>(
  options: MemoryRoomOptions<Loaded>,
): MemoryRoom<Loaded> {
  type Slot = ModelSlot<Loaded>;
  const { slots, maxBytes, waitMaxMs, closedBy } = options;
  const [first] = slots;
  const wakers = new Set<() => void>();

  function bytesOf({ loaded, knownBytes, model }: Slot): number {
    return loaded?.memoryBytes() || (knownBytes ?? model.expectedBytes());
  }

  /** As far as one knows: what it took shows that, what is expected does not. */
  function leastBytesOf({ loaded, knownBytes, model }: Slot): number {
    return loaded?.memoryBytes() || (knownBytes ?? model.leastBytes());
  }

  const sum = (some: readonly Slot[]) => some.reduce((bytes, slot) => bytes + bytesOf(slot), 0);
  const inMemory = () => slots.filter(({ loaded, ending }) => loaded ?? ending);

  function noteChange(): void {
    for (const wake of wakers) wake();
  }

  /** Until a model is without work or out of memory, but no longer than until then. */
  function nextChange(until: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, until - performance.now()));
      wakers.add(wake);
    });
  }

  async function unload(slot: Slot): Promise<void> {
    const { loaded } = slot;
    if (!loaded) return;
    slot.knownBytes = bytesOf(slot);
    slot.state = "unloaded";
    slot.loaded = undefined;
    slot.ending = loaded.dispose().finally(() => {
      slot.ending = undefined;
    });
    await slot.ending;
    options.onUnloaded(slot.model.name, slot.knownBytes);
    noteChange();
  }

  /** @throws EmbedError if the model cannot have its room though all others but the first were out of memory */
  function checkFits(slot: Slot): void {
    const least = leastBytesOf(slot);
    if (least + bytesOf(first) <= maxBytes) return;
    throw new EmbedError(
      "CONFIG_INVALID",
      `expected ${slot.model.name}, which needs at least ${least} bytes, to fit into memory beside ${first.model.name}, which has ${bytesOf(first)} of ${maxBytes} (--max-model-memory-bytes)`,
    );
  }

  return {
    bytesOf,
    usedBytes: () => sum(inMemory()),
    noteChange,
    async makeFor(slot) {
      const until = performance.now() + waitMaxMs;
      for (;;) {
        const closed = closedBy();
        if (closed) throw closed;
        const others = inMemory().filter((other) => other !== slot);
        if (bytesOf(slot) + sum(others) <= maxBytes) return;
        checkFits(slot);
        const [idle] = others
          .filter(
            (other) => other !== first && other.loaded && other.state === "loaded" && other.holders === 0,
          )
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
            `expected a model to be without work within ${waitMaxMs} ms, so that ${slot.model.name} can have its memory, but ${names} had some all the time (--max-model-memory-bytes ${maxBytes})`,
          );
        }
        await nextChange(until);
      }
    },
  };
}
