import { readFileSync } from "node:fs";
import { createRandom, type Random } from "../random.ts";

const folder = new URL("../../fixtures/golden/saved/", import.meta.url);

/** Files of one model, in every format, and for weights alone the topology that goes with them. */
const seeds: readonly { readonly file: string; readonly topology?: string }[] = [
  { file: "nested.keras2.h5" },
  { file: "nested.keras2.notop.h5", topology: "nested.keras2.topology.json" },
  { file: "nested.keras2.keras" },
  { file: "nested.keras3.h5" },
  { file: "nested.keras3.keras" },
  { file: "nested.keras3.weights.h5", topology: "nested.keras3.topology.json" },
  { file: "nested.tfjs.json" },
];

export interface DamagedModel {
  readonly file: string;
  readonly topology?: string;
  readonly changes: readonly string[];
  /** By name: the damaged file, and those that go with it as they are. */
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

const read = (file: string) => new Uint8Array(readFileSync(new URL(file, folder)));

/** Half of all damage falls into the first bytes, where a file's structure is rather than its values. */
const headBytes = 4096;

/** Case number `index` of the run `seed`: cut short, or some bytes flipped, replaced or copied from elsewhere. */
export function damageModel(seed: number, index: number): DamagedModel {
  const random = createRandom(seed, index);
  const { file, topology } = random.pick(seeds);
  const whole = read(file);
  const changes: string[] = [];
  let bytes = whole.slice();
  if (random.chance(15)) {
    bytes = whole.slice(0, random.below(whole.length));
    changes.push(`cut to ${bytes.length}`);
  } else {
    const count = random.pick([1, 1, 1, 2, 4, 16]);
    for (let i = 0; i < count; i++) changes.push(damage(bytes, random));
  }
  const beside = [topology, file === "nested.tfjs.json" ? "nested.tfjs.bin" : undefined];
  const others = beside.filter((name) => name !== undefined).map((name) => [name, read(name)]);
  return {
    file,
    ...(topology && { topology }),
    changes,
    files: { ...Object.fromEntries(others), [file]: bytes },
  };
}

function damage(bytes: Uint8Array, random: Random): string {
  const at = random.below(random.chance(50) ? Math.min(headBytes, bytes.length) : bytes.length);
  switch (random.below(4)) {
    case 0:
      bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
      return `an edge at ${at}`;
    case 1:
      bytes[at]! ^= 1 << random.below(8);
      return `a bit at ${at}`;
    case 2:
      bytes[at] = random.below(256);
      return `a byte at ${at}`;
    default: {
      const from = random.below(bytes.length - 16);
      bytes.copyWithin(at, from, from + random.pick([4, 8, 16]));
      return `${at} from ${from}`;
    }
  }
}
