import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readWhole } from "./page-body.ts";
import { readBuiltPage } from "./page-source.ts";

let folder: string;
const large = new Uint8Array(3 * 2 ** 20).map((_, index) => index % 251);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-built-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<html>");
  await writeFile(join(folder, "assets/large.wasm"), large);
  await writeFile(join(folder, "assets/packed.wasm.br"), brotliCompressSync(large));
  await writeFile(join(folder, "assets/broken.wasm.br"), brotliCompressSync(large).subarray(0, 100));
});
afterAll(() => rm(folder, { recursive: true }));

test("small files are kept, large ones are read, and those that are there only packed are unpacked", async () => {
  const page = await readBuiltPage(folder);
  expect([...page].map(([path, { bytes, cost }]) => [path, bytes, cost]).sort()).toEqual([
    ["assets/broken.wasm", undefined, 16],
    ["assets/broken.wasm.br", 100, 0],
    ["assets/large.wasm", large.length, 1],
    ["assets/packed.wasm", undefined, 16],
    ["assets/packed.wasm.br", brotliCompressSync(large).length, 0],
    ["index.html", 6, 0],
  ]);
  for (const path of ["assets/large.wasm", "assets/packed.wasm"]) {
    expect(Buffer.compare(await readWhole(page.get(path)!), large)).toBe(0);
  }
  for await (const piece of page.get("assets/packed.wasm")!.pieces()) {
    expect(piece.length).toBeLessThanOrEqual(64 * 2 ** 10);
  }
});

test("a file that is broken off is no shorter file", async () => {
  const page = await readBuiltPage(folder);
  await expect(readWhole(page.get("assets/broken.wasm")!)).rejects.toThrow("unexpected end of file");
});

test("without a built page one is told where it should be", async () => {
  await expect(readBuiltPage(join(folder, "none"))).rejects.toMatchObject({
    reason: "CONFIG_INVALID",
    message: "expected the page in dist/page, where npm run build puts it, got ENOENT",
  });
});
