import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { arch, cpus, release, totalmem, type } from "node:os";
import { tracingPackages } from "../node/observe/open-telemetry.ts";
import { packageFile } from "../node/package-file.ts";
import { chooseWorkers, readMachine } from "../node/pool/default-workers.ts";
import { findEnginePackage } from "../node/pool/engine-package.ts";
import { ortNativePackage } from "../node/pool/native-runtime.ts";
import { webGpuPackage } from "../node/pool/webgpu-runtime.ts";
import type { Finding } from "./doctor-report.ts";
import { packageVersion } from "./package-version.ts";

/** What runs, and on what. */
export function describeMachine(): Finding[] {
  const machine = readMachine();
  const { workers, why } = chooseWorkers(machine);
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < totalmem();
  const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    { name: "portico", state: "info", value: packageVersion() },
    checkNode(process.versions.node),
    { name: "system", state: "info", value: `${type()} ${release()} ${arch()}` },
    {
      name: "processor",
      state: "info",
      value: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} cores, ${machine.cores} available`,
    },
    { name: "memory", state: "info", value: mebibytes(totalmem()) },
    { name: "memory limit", state: "info", value: isLimited ? `${mebibytes(limit)} (cgroup)` : "none" },
    {
      name: "workers by default",
      state: "info",
      value: `${workers} (${why}); for a GPU they decode, and one more has the engine`,
    },
    ...describeWasm(),
  ];
}

function checkNode(version: string): Finding {
  const { engines } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as {
    engines: { node: string };
  };
  const wanted = engines.node.replace(">=", "");
  const isEnough = compareVersions(version, wanted) >= 0;
  const value = isEnough ? version : `${version}; at least ${wanted} is needed`;
  return { name: "node", state: isEnough ? "ok" : "failed", value };
}

/** Below 0 if `one` is the older; both are like `22.19.0`. */
function compareVersions(one: string, other: string): number {
  const [ours, theirs] = [one, other].map((version) => version.split(".").map(Number)) as [
    number[],
    number[],
  ];
  const place = ours.findIndex((part, index) => part !== theirs[index]);
  return place < 0 ? 0 : (ours[place] ?? 0) - (theirs[place] ?? 0);
}

const wasmHead = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** A module with one function of type () -> v128, whose body is this. */
const functionOf = (...body: number[]) => [
  ...[...wasmHead, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
  ...[10, body.length + 3, 1, body.length + 1, 0, ...body],
];
/** i32.const 0, i8x16.splat */
const splat = [0x41, 0, 0xfd, 0x0f];

/** The smallest module that is valid only with the feature. WebAssembly core specification, appendix A.7. */
const wasmFeatures = [
  // i8x16.popcnt
  { name: "wasm SIMD", isNeeded: true, module: functionOf(...splat, 0xfd, 0x62, 0x0b) },
  // i8x16.relaxed_swizzle
  {
    name: "wasm relaxed SIMD",
    isNeeded: false,
    module: functionOf(...splat, ...splat, 0xfd, 0x80, 0x02, 0x0b),
  },
  // A memory that is shared, of one page.
  { name: "wasm threads", isNeeded: false, module: [...wasmHead, 5, 4, 1, 3, 1, 1] },
] as const;

function describeWasm(): Finding[] {
  return wasmFeatures.map(({ name, isNeeded, module }) => {
    const has = WebAssembly.validate(Uint8Array.from(module));
    const state = has ? "ok" : isNeeded ? "failed" : "info";
    return { name, state, value: has ? "yes" : isNeeded ? "no; the engines need it" : "no" };
  });
}

/** Packages that are used only where they are installed. */
export function describePeers(): Finding[] {
  const peers = [
    ...Object.keys(tracingPackages).map((name) => ({
      name,
      use: "traces need it",
      file: findInstalled(name),
    })),
    {
      name: ortNativePackage.name,
      use: "--engine ort-native needs it",
      file: findEnginePackage(ortNativePackage),
    },
    { name: webGpuPackage.name, use: "--engine ort-webgpu needs it", file: findEnginePackage(webGpuPackage) },
  ];
  return peers.map(({ name, use, file }) => {
    const value =
      file === undefined
        ? `not installed (${use})`
        : (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
    return { name: `peer ${name}`, state: "info", value };
  });
}

function findInstalled(name: string): string | undefined {
  try {
    return findPackageJSON(name, import.meta.url);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
