import { readdirSync, readFileSync } from "node:fs";
import { badImages, goodImages, readImage } from "../../fixtures/read-golden.ts";
import { readHeader } from "../../src/image/read-header.ts";
import { sniffFormat } from "../../src/image/sniff-format.ts";

/** A small picture to damage. */
export interface PictureSeed {
  /** Below fixtures/. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The name of the format that its first bytes show, or `other`: what may be spliced with what. */
  readonly kind: string;
}

/** 64 x 64: a larger picture takes longer to decode and no other way through the code. */
const mostPixels = 64 * 64;

/** Larger files would mostly have their payload damaged. */
const mostBytes = 200_000;

const seedFolder = new URL("../../fixtures/seeds/", import.meta.url);

/** Every fixture of at most 64 x 64 pixels, every bad one, and the smaller twins of those that are larger. */
export function readPictureSeeds(): readonly PictureSeed[] {
  const small = (readdirSync(seedFolder, { recursive: true }) as string[])
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.\w+$/.test(path))
    .sort()
    .map((path) => toSeed(`seeds/${path}`, new Uint8Array(readFileSync(new URL(path, seedFolder)))));
  const good = goodImages
    .map(({ path }) => toSeed(`images/${path}`, readImage(path)))
    .filter(({ bytes }) => pixelsOf(bytes) <= mostPixels);
  const bad = badImages.map(({ path }) => toSeed(`images/${path}`, readImage(path)));
  return [...small, ...good, ...bad].filter(({ bytes }) => bytes.length <= mostBytes);
}

function toSeed(path: string, bytes: Uint8Array): PictureSeed {
  return { path, bytes, kind: kindOf(bytes) };
}

function kindOf(bytes: Uint8Array): string {
  try {
    return sniffFormat(bytes);
  } catch {
    // Seeds of formats that are refused are damaged as well.
    return "other";
  }
}

function pixelsOf(bytes: Uint8Array): number {
  const { width, height } = readHeader(bytes);
  return width * height;
}
