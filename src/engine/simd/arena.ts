import { bytesOf, type TensorSlot } from "./tensor-slot.ts";

/** What a step touches: tensors that must live while it runs. */
export interface SlotUse {
  readonly reads: readonly TensorSlot[];
  readonly writes: TensorSlot;
}

const alignment = 64;

/** @returns bytes, rounded up so that vectors never share a cache line with another tensor */
export const align = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/**
 * Gives every slot its place, each at the lowest one that is free from its writing to its last reading.
 * @param uses of the steps, in their order
 * @param first the network's input, which is there before the first step
 * @param last the network's output, which is read behind the last step
 * @returns bytes of the whole arena
 */
export function placeSlots(uses: readonly SlotUse[], first: TensorSlot, last: TensorSlot): number {
  const lastRead = new Map<TensorSlot, number>([[first, 0]]);
  for (const [step, { reads, writes }] of uses.entries()) {
    for (const slot of reads) lastRead.set(slot, step);
    // What nobody reads must still not overlap what its own step reads.
    lastRead.set(writes, Math.max(step, lastRead.get(writes) ?? step));
  }
  lastRead.set(last, uses.length);

  let size = 0;
  const placed: { readonly slot: TensorSlot; readonly end: number }[] = [];
  const place = (slot: TensorSlot, living: typeof placed) => {
    const bytes = align(bytesOf(slot));
    let offset = 0;
    for (const other of living.toSorted((a, b) => a.slot.offset - b.slot.offset)) {
      if (offset + bytes <= other.slot.offset) break;
      offset = Math.max(offset, other.end);
    }
    slot.offset = offset;
    size = Math.max(size, offset + bytes);
    placed.push({ slot, end: offset + bytes });
  };
  place(first, []);
  for (const [step, { writes }] of uses.entries()) {
    if (writes.offset >= 0) continue;
    place(
      writes,
      placed.filter(({ slot }) => (lastRead.get(slot) ?? -1) >= step),
    );
  }
  return size;
}
