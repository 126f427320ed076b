import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageFile } from "../../src/node/package-file.ts";
import { listMachineCode, listParticularPackages, listProductionPackages } from "./find-machine-code.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "portico-machine-code-"));
  mkdirSync(join(folder, "deep/er"), { recursive: true });
  // What is compared is how a program begins: this one is an ELF, a Mach-O or a PE.
  copyFileSync(process.execPath, join(folder, "deep/er/program"));
  writeFileSync(join(folder, "text.so.1"), "no machine code, but called so");
  writeFileSync(join(folder, "module.wasm"), Uint8Array.of(0, 0x61, 0x73, 0x6d));
  writeFileSync(join(folder, "empty"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

test("machine code is found by its first bytes or its name", () => {
  expect([...listMachineCode(folder)].sort()).toEqual(
    ["deep/er/program", "text.so.1"].map((name) => join(folder, name)),
  );
});

test("packages of a production install are told from those of development", () => {
  const packages = listProductionPackages();
  const hasPackage = (name: string) => packages.some((path) => path.endsWith(`node_modules/${name}`));
  expect(hasPackage("onnxruntime-web")).toBe(true);
  expect(hasPackage("pacote")).toBe(true);
  expect(hasPackage("typescript")).toBe(false);
  expect(hasPackage("onnxruntime-node")).toBe(false);
});

test("no package of a production install is for some machines only", () => {
  expect(listParticularPackages()).toEqual([]);
});

test("no package of a production install, nor the wasm of our own, is machine code", () => {
  const folders = [...listProductionPackages(), packageFile("src/engine/simd")];
  expect(folders.length).toBeGreaterThan(100);
  expect(folders.flatMap(listMachineCode)).toEqual([]);
});
