import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import { packageFile } from "../node/package-file.ts";
import { listPictures, parseModels } from "./compare-inputs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-compare-"));
  await mkdir(join(folder, "cats"));
  await mkdir(join(folder, "empty"));
  await Promise.all(["b.jpg", "cats/a.jpg", ".hidden"].map((name) => writeFile(join(folder, name), name)));
});
afterAll(() => rm(folder, { recursive: true }));

test("models are names, with a variant or without", () => {
  expect(parseModels(["resnet50", "resnet50:int8", "vgg16:fp32"])).toEqual([
    { model: "resnet50", variant: "fp32" },
    { model: "resnet50", variant: "int8" },
    { model: "vgg16", variant: "fp32" },
  ]);
});

test.each([
  [["resnet50"], 'expected 2 to 4 different models, got "resnet50"'],
  [["a", "a:fp32"], 'expected 2 to 4 different models, got "a,a:fp32"'],
  [["a", "b", "c", "d", "e"], 'expected 2 to 4 different models, got "a,b,c,d,e"'],
  [["a", "b:int4"], 'expected NAME or NAME:VARIANT (fp32, fp16, int8), got "b:int4"'],
  [["a", ":int8"], 'expected NAME or NAME:VARIANT (fp32, fp16, int8), got ":int8"'],
  [["a", "b:"], 'expected NAME or NAME:VARIANT (fp32, fp16, int8), got "b:"'],
])("models %j are refused", (texts, message) => {
  expect(() => parseModels(texts)).toThrow(`--models: ${message}`);
});

test("pictures are the files of the folder, by their names there", async () => {
  const pictures = await listPictures(`${folder}/`, 2, "compare.html");
  expect(pictures.map(({ name }) => name)).toEqual(["b.jpg", join("cats", "a.jpg")]);
  expect(Buffer.from((await pictures[1]?.read()) ?? []).toString()).toBe("cats/a.jpg");
});

test("the page that is about to be written is none of them", async () => {
  const pictures = await listPictures(folder, 9, relative("", join(folder, "cats/a.jpg")));
  expect(pictures.map(({ name }) => name)).toEqual(["b.jpg"]);
});

test("a folder that cannot be compared", async () => {
  await expect(listPictures(folder, 1, "compare.html")).rejects.toThrow(
    `--dir: expected at most 1 pictures (--max-pictures), found 2 in ${folder}`,
  );
  const empty = join(folder, "empty");
  await expect(listPictures(empty, 9, "compare.html")).rejects.toThrow(
    `--dir: expected at least one picture, found none in ${empty}`,
  );
  for (const dir of [join(folder, "b.jpg"), join(folder, "none"), "https://a.example/"]) {
    await expect(listPictures(dir, 9, "compare.html")).rejects.toThrow(
      `--dir: expected a folder, got "${dir}"`,
    );
  }
});

test("what is wrong is told before any work, and nothing is written", async () => {
  const out = join(folder, "empty/page.html");
  const args = ["compare", "--dir", folder, "--out", out, "--models", "resnet50,vgg99"];
  const { code, stdout, stderr } = await runPortico(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^portico: there is no model "vgg99"; known models: .*resnet50/);
  expect(await readdir(join(folder, "empty"))).toEqual([]);
});

test("whoever interrupts it finds nothing half-written", async () => {
  const out = join(folder, "empty/page.html");
  const args = [
    "compare",
    "--models",
    "resnet50,resnet50:fp16",
    "--dir",
    packageFile("fixtures/images/photo"),
  ];
  const child = spawn(process.execPath, ["src/cli/portico.ts", ...args, "--out", out], {
    cwd: packageFile("."),
    stdio: "ignore",
  });
  const exited = once(child, "exit");
  const written = () => statSync(`${out}.partial`, { throwIfNoEntry: false })?.size ?? 0;
  await expect.poll(written, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0);
  child.kill("SIGINT");
  expect(await exited).toEqual([130, null]);
  expect(await readdir(join(folder, "empty"))).toEqual([]);
});
