import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { packageFile } from "../../src/node/package-file.ts";

/** How files of machine code begin: ELF, Mach-O of either order and of several processors, PE. */
const magics = ["7f454c46", "cffaedfe", "feedfacf", "cafebabe"];
const peMagic = "4d5a";
const endings = /\.(?:node|so(?:\.\d+)*|dylib|dll|exe|a|o)$/;

/** Files below the folder that a processor runs, or that are called as if it did. */
export function listMachineCode(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => endings.test(path) || isMachineCode(path));
}

function isMachineCode(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4);
    const start = bytes.subarray(0, readSync(file, bytes)).toString("hex");
    return magics.includes(start) || start.startsWith(peMagic);
  } finally {
    closeSync(file);
  }
}

interface LockedPackage {
  /** For development alone, or for that and for an optional peer. */
  readonly dev?: true;
  readonly devOptional?: true;
  /** The machines that it is for. */
  readonly os?: unknown;
  readonly cpu?: unknown;
  readonly libc?: unknown;
}

/** The packages that `npm ci --omit=dev` installs. */
function readProductionPackages(): readonly (readonly [path: string, LockedPackage])[] {
  const lock = JSON.parse(readFileSync(packageFile("package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages).filter(
    ([path, { dev, devOptional }]) => path.startsWith("node_modules/") && !dev && !devOptional,
  );
}

/** Folders of the packages that a production install has. */
export function listProductionPackages(): readonly string[] {
  return readProductionPackages().map(([path]) => packageFile(path));
}

/** Those of them that are for some machines only. */
export function listParticularPackages(): readonly string[] {
  return readProductionPackages()
    .filter(([, { os, cpu, libc }]) => os || cpu || libc)
    .map(([path]) => path);
}
