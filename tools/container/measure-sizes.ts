import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createGzip } from "node:zlib";

/** One part of an image, as a tar archive and as a registry sends that. */
export interface PartSize {
  readonly part: string;
  readonly bytes: number;
  readonly compressedBytes: number;
}

interface Part {
  readonly part: string;
  /** Within the root file system. */
  readonly paths: readonly string[];
  /** Within these. */
  readonly but?: readonly string[];
}

const engine = "app/node_modules/onnxruntime-web";

/** All that is in the image, each file in one part. */
const parts: readonly Part[] = [
  { part: "Debian", paths: ["."], but: ["./app", "./usr/local"] },
  { part: "Node", paths: ["usr/local"] },
  { part: "onnxruntime-web", paths: [engine] },
  { part: "other npm packages", paths: ["app/node_modules"], but: [engine] },
  { part: "Portico", paths: ["app"], but: ["app/node_modules", "app/cache"] },
  { part: "model", paths: ["app/cache"] },
];
export const modelPart = "model";

/** As Docker and buildah compress layers. */
const gzipLevel = 6;

/** The parts of an image, or those that are named, by their size; those of which there is nothing are left out. */
export async function measureSizes(root: string, names?: readonly string[]): Promise<readonly PartSize[]> {
  const there = parts
    .filter(({ part }) => names?.includes(part) ?? true)
    .filter(({ paths }) => paths.every((path) => existsSync(join(root, path))));
  return Promise.all(there.map((part) => measurePart(root, part)));
}

async function measurePart(root: string, { part, paths, but = [] }: Part): Promise<PartSize> {
  const excluded = ["./proc/*", "./sys/*", "./dev/*", ...but].map((path) => `--exclude=${path}`);
  const tar = spawn("tar", ["-c", "--anchored", ...excluded, "-C", root, ...paths], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => tar.once("close", resolve));
  let bytes = 0;
  let compressedBytes = 0;
  tar.stdout.on("data", (piece: Buffer) => {
    bytes += piece.length;
  });
  for await (const piece of tar.stdout.pipe(createGzip({ level: gzipLevel }))) {
    compressedBytes += (piece as Buffer).length;
  }
  const code = await ended;
  if (code !== 0) throw new Error(`tar of ${part} ended with exit code ${code}`);
  return { part, bytes, compressedBytes };
}

export function sumOf(part: string, sizes: readonly PartSize[]): PartSize {
  return {
    part,
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    compressedBytes: sizes.reduce((sum, { compressedBytes }) => sum + compressedBytes, 0),
  };
}

/** The table of docs/container.md, in MB. */
export function sizeTable(sizes: readonly PartSize[]): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  return [
    "| part | unpacked | compressed |",
    "|---|---|---|",
    ...sizes.map(({ part, bytes, compressedBytes }) => `| ${part} | ${mb(bytes)} | ${mb(compressedBytes)} |`),
  ].join("\n");
}
