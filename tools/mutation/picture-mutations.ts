import { createRandom, type Random } from "../random.ts";
import type { PictureSeed } from "./picture-seeds.ts";
import { findStructure, repairEnvelope } from "./picture-structure.ts";

/** A damaged picture and how it came about. */
export interface DamagedPicture {
  /** The seed's path below fixtures/. */
  readonly from: string;
  readonly bytes: Uint8Array;
  /** The names of the changes, in order. */
  readonly changes: readonly string[];
}

/** Numbers at which sizes, counts and offsets go wrong. */
const telling = [
  0, 1, 2, 7, 8, 127, 128, 255, 256, 1000, 4096, 7000, 0x3fff, 0x4000, 0x7fff, 0x8000, 0xffff, 0x10000,
  0xffffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff,
];

type Change = (bytes: Uint8Array, at: number, random: Random, partner: Uint8Array) => Uint8Array;

/** `at` is always a place of the file. */
const changes: Readonly<Record<string, Change>> = {
  flipBit: (bytes, at, random) => setAt(bytes, at, [bytes[at]! ^ (1 << random.below(8))]),
  setByte: (bytes, at, random) => setAt(bytes, at, [random.below(256)]),
  fillField: (bytes, at, random) =>
    setAt(bytes, at, Array<number>(random.pick([1, 2, 4])).fill(random.pick([0, 0x7f, 0x80, 0xff]))),
  setNumber: (bytes, at, random) => setAt(bytes, at, numberBytes(random.pick(telling), random)),
  nudgeNumber: (bytes, at, random) => setAt(bytes, at, [bytes[at]! + random.pick([-1, 1, 2, 16])]),
  truncate: (bytes, at) => bytes.slice(0, at),
  remove: (bytes, at, random) => join(bytes.subarray(0, at), bytes.subarray(at + lengthOf(random))),
  repeat: (bytes, at, random) => {
    const piece = bytes.subarray(at, at + lengthOf(random));
    return join(
      bytes.subarray(0, at),
      ...Array<Uint8Array>(1 + random.below(4)).fill(piece),
      bytes.subarray(at),
    );
  },
  insert: (bytes, at, random) =>
    join(bytes.subarray(0, at), random.bytes(lengthOf(random)), bytes.subarray(at)),
  move: (bytes, at, random) => {
    const length = lengthOf(random);
    const piece = bytes.slice(at, at + length);
    const rest = join(bytes.subarray(0, at), bytes.subarray(at + length));
    const to = random.below(rest.length + 1);
    return join(rest.subarray(0, to), piece, rest.subarray(to));
  },
  splice: (bytes, at, random, partner) =>
    join(bytes.subarray(0, at), partner.subarray(random.below(partner.length))),
  borrow: (bytes, at, random, partner) => {
    const from = random.below(partner.length);
    return setAt(bytes, at, partner.subarray(from, from + lengthOf(random)));
  },
};

/** The first four are gentle: what follows the place is still where it was. */
const changeNames = Object.keys(changes);
const gentleNames = changeNames.slice(0, 5);

/** Half of the places lie in the head of the file, where its sizes are. */
const headBytes = 160;

/** The picture `index` of the run `seed`; it follows from the two numbers alone. */
export function damagePicture(seeds: readonly PictureSeed[], seed: number, index: number): DamagedPicture {
  const random = createRandom(seed, index);
  const picture = seeds[index % seeds.length]!;
  const kin = seeds.filter(({ kind }) => kind === picture.kind);
  let bytes: Uint8Array = picture.bytes.slice();
  const done: string[] = [];
  for (let count = 1 + random.below(4); count > 0 && bytes.length > 0; count--) {
    const name = random.pick(random.chance(70) ? gentleNames : changeNames);
    bytes = changes[name]!(bytes, choosePlace(bytes, picture.kind, random), random, random.pick(kin).bytes);
    done.push(name);
  }
  if (random.chance(80)) repairEnvelope(bytes, picture.kind);
  return { from: picture.path, bytes, changes: done };
}

function choosePlace(bytes: Uint8Array, kind: string, random: Random): number {
  const way = random.below(4);
  if (way === 0) return random.below(bytes.length);
  if (way === 1) {
    const structure = findStructure(bytes, kind).filter((place) => place < bytes.length);
    if (structure.length > 0) return Math.min(bytes.length - 1, random.pick(structure) + random.below(12));
  }
  return random.below(Math.min(bytes.length, headBytes));
}

/** Mostly short. */
function lengthOf(random: Random): number {
  return 1 + random.below(random.pick([4, 16, 300]));
}

function numberBytes(value: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(4);
  const littleEndian = random.chance(50);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  const size = random.pick([2, 4]);
  return littleEndian ? bytes.subarray(0, size) : bytes.subarray(4 - size);
}

/** Overwrites from `at` on, as far as the file goes. */
function setAt(bytes: Uint8Array, at: number, values: ArrayLike<number>): Uint8Array {
  for (let i = 0; i < values.length && at + i < bytes.length; i++) bytes[at + i] = values[i]!;
  return bytes;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
