import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeBrokenOrtNative } from "../../../tools/broken-ort-native.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-engine-package-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Prints why; in a process of its own, since NODE_PATH is read once. */
const program = `
  import { requireEnginePackage } from ${JSON.stringify(import.meta.resolve("./engine-package.ts"))};
  import { ortNativePackage } from ${JSON.stringify(import.meta.resolve("./native-runtime.ts"))};
  try { requireEnginePackage(ortNativePackage); } catch ({ reason, message }) { console.log(reason, message); }`;

const start = "--engine ort-native cannot load its package: ";
const musl =
  "onnxruntime-node needs glibc, and this Node has musl (Alpine); --engine simd and ort-wasm run everywhere: ";

// The words are those of musl's loader and of glibc's, as a Node of each said them.
const missingOnMusl =
  "Error loading shared library libstdc++.so.6: No such file or directory (needed by /p/onnxruntime_binding.node)";
const symbolOnMusl = "Error relocating /p/libonnxruntime.so.1: fcntl64: symbol not found";
const missingOnGlibc = "libonnxruntime.so.1: cannot open shared object file: No such file or directory";

test.each([
  ["a library that musl has not", missingOnMusl, `${start}${musl}${missingOnMusl}`],
  ["a symbol that musl has not", symbolOnMusl, `${start}${musl}${symbolOnMusl}`],
  ["a library that glibc does not find", missingOnGlibc, `${start}${missingOnGlibc}`],
  ["more than one line", "first\nsecond", `${start}first`],
])("says why a package cannot be loaded: %s", async (_, why, message) => {
  const env = { ...process.env, NODE_PATH: await writeBrokenOrtNative(folder, why) };
  const args = ["--input-type=module", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(stdout).toBe(`CONFIG_INVALID ${message}\n`);
});
