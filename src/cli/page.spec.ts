import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import { findModelManifest, findModelVariant } from "../node/model/model-catalog.ts";
import { prepareModel } from "../node/model/model-store.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-page-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("portico page writes the page for a server and copies the model, again over an older one", async () => {
  const out = join(folder, "with-model");
  const { onnx } = await findModelManifest("resnet50");
  for (const server of ["http://other.example", "https://Vectors.example:443/"]) {
    const { code, stdout, stderr } = await runPortico(["page", "--out", out, "--server", server]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/with-model: \d+ files, 1\d\d\.\d MB\n$/);
  }
  expect((await readdir(out)).sort()).toEqual([
    "LICENSES.txt",
    "_headers",
    "assets",
    "index.html",
    "models",
    "service-worker.js",
  ]);
  expect((await stat(join(out, "models/resnet50.onnx"))).size).toBe(onnx.bytes);
  const html = await readFile(join(out, "index.html"), "utf8");
  const connect = "connect-src 'self' https://vectors.example;";
  expect(html).toContain(`<meta http-equiv="content-security-policy" content="default-src 'none';`);
  expect(html).toContain(connect);
  expect(html).not.toContain("frame-ancestors");
  expect(html).toContain(
    `content='{"server":"https://vectors.example","models":[{"name":"resnet50","variant":"fp32"}],"needsToken":false}'`,
  );
  const headers = await readFile(join(out, "_headers"), "utf8");
  expect(headers).toContain(connect);
  expect(headers).toContain("\n  cross-origin-embedder-policy: require-corp\n");
  expect(headers).toContain("\n/assets/*\n  cache-control: public, max-age=31536000, immutable\n");
  expect(await readFile(join(out, "LICENSES.txt"), "utf8")).toContain("preact 11.2.0: MIT");
});

test("forms of the model lie beside the page under their own names, the first one named first", async () => {
  const out = join(folder, "forms");
  const forms = ["int8", "fp16"] as const;
  for (const form of forms) await prepareModel(await findModelVariant("resnet50", form));
  const { code, stdout } = await runPortico(["page", "--out", out, "--variant", "int8,fp16,int8"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/forms: \d+ files, 1\d\d\.\d MB\n$/);
  expect((await readdir(join(out, "models"))).sort()).toEqual(["resnet50-fp16.onnx", "resnet50-int8.onnx"]);
  for (const form of forms) {
    const { onnx } = await findModelVariant("resnet50", form);
    const hash = createHash("sha256").update(await readFile(join(out, `models/resnet50-${form}.onnx`)));
    expect(hash.digest("hex")).toBe(onnx.sha256);
  }
  expect(await readFile(join(out, "index.html"), "utf8")).toContain(
    `"models":[{"name":"resnet50","variant":"int8"},{"name":"resnet50","variant":"fp16"}]`,
  );
});

const server = ["--server", "https://vectors.example"];

test("for a server alone it needs no model", async () => {
  const out = join(folder, "bare");
  const { code } = await runPortico([
    "page",
    "--out",
    out,
    ...server,
    "--model",
    "none",
    "--cache",
    join(folder, "empty"),
  ]);
  expect(code).toBe(0);
  const html = await readFile(join(out, "index.html"), "utf8");
  expect(html).toContain(`content='{"server":"https://vectors.example","models":[],"needsToken":false}'`);
  expect(await readdir(out)).not.toContain("models");
});

test.each([
  [[], "required option '--out <dir>' not specified"],
  [["--out", ""], "--out: expected the path of a file, got nothing"],
  [
    ["--out", "{folder}/x", "--server", "vectors.example"],
    '--server: expected http(s)://HOST[:PORT] without a path, got "vectors.example"',
  ],
  [
    ["--out", "{folder}/x", "--server", "https://vectors.example/api"],
    '--server: expected http(s)://HOST[:PORT] without a path, got "https://vectors.example/api"',
  ],
  [
    ["--out", "{folder}/x", "--server", "https://user:secret@vectors.example"],
    "--server: expected http(s)://HOST[:PORT] without a path",
  ],
  [
    ["--out", "{folder}/x", "--model", "vgg19"],
    "--model vgg19: the engines of the page compute resnet50 alone; expected --model none and a --server of this model",
  ],
  [["--out", "{folder}/x", "--model", "none-such"], 'there is no model "none-such"; known models: '],
  [
    ["--out", "{folder}/x", "--variant", "int8,int4"],
    '--variant: expected some of fp32, fp16, int8, got "int4"',
  ],
  [["--out", "{folder}/x", "--variant", ""], '--variant: expected some of fp32, fp16, int8, got ""'],
  [
    ["--out", "{folder}/x", "--model", "none"],
    "--model none: expected --server too, since else nothing computes",
  ],
  [
    ["--out", "{folder}/other", "--model", "none", ...server],
    "--out: expected an empty folder or one that holds a page, got",
  ],
  [["--out", "/dev/null/x", "--model", "none", ...server], "--out: cannot write /dev/null/x: ENOTDIR"],
])("portico page %j is refused", async (args, message) => {
  // A page, but not one of ours.
  const other = join(folder, "other");
  await rm(other, { recursive: true, force: true });
  await mkdir(other);
  await writeFile(join(other, "index.html"), "<!doctype html>");
  await writeFile(join(other, "service-worker.js"), "");
  const { code, stderr } = await runPortico(["page", ...args.map((arg) => arg.replace("{folder}", folder))]);
  expect(code).toBe(2);
  expect(stderr).toContain(`portico: ${message}`);
});
