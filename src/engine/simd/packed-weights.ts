import { align } from "./arena.ts";

/** Constants in the order in which they will lie in memory; written once the memory exists. */
export interface PackedWeights {
  /** Sets `count` floats aside, which `write` fills later, and gives their address from the start of all weights. */
  add(count: number, write: (target: Float32Array) => void): number;
  addInts(values: readonly number[]): number;
  byteLength(): number;
  /** Writes everything. */
  writeTo(memory: ArrayBufferLike, address: number): void;
}

/** Vectors of four may reach behind the last weight. */
const slackBytes = 4096;

export function createPackedWeights(): PackedWeights {
  const pieces: {
    readonly offset: number;
    readonly write: (memory: ArrayBufferLike, address: number) => void;
  }[] = [];
  let size = 0;
  const reserve = (bytes: number) => {
    const offset = size;
    size += align(bytes);
    return offset;
  };
  return {
    add(count, write) {
      const offset = reserve(count * 4);
      pieces.push({ offset, write: (memory, address) => write(new Float32Array(memory, address, count)) });
      return offset;
    },
    addInts(values) {
      const offset = reserve(values.length * 4);
      pieces.push({
        offset,
        write: (memory, address) => new Int32Array(memory, address, values.length).set(values),
      });
      return offset;
    },
    byteLength: () => size + slackBytes,
    writeTo(memory, address) {
      for (const { offset, write } of pieces) write(memory, address + offset);
    },
  };
}
