import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import { commandName } from "../node/command-name.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";

const saved = fileURLToPath(new URL("../../fixtures/golden/saved/", import.meta.url));
let modelsDir: string;

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
});
afterAll(() => rm(modelsDir, { recursive: true }));

const runImport = (file: string, name: string, ...flags: readonly string[]) =>
  runPortico(["import", join(saved, file), "--name", name, "--models-dir", modelsDir, ...flags]);

describe("a model of the user's own", () => {
  beforeAll(async () => {
    const flags = ["--preprocess", "torch", "--interpolation", "bilinear"];
    const { code, stdout, stderr } = await runImport("convolutions.keras3.keras", "small", ...flags);
    const { fingerprint } = await findModelManifest("small", modelsDir);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.replace(/differs by \d\.\d\de-\d+$/m, "differs by LITTLE")).toBe(`small is ready
  file          ${join(modelsDir, "small", "model.onnx")}
  source        convolutions.keras3.keras, a .keras archive
  vector space  ${fingerprint}
  output        average (the model ends there)
  pooling       avg (layer "average" does it)
  dimension     8
  size          9x9 (of layer "picture")
  preprocess    torch (asked for)
  interpolation bilinear
  self-check    ort-wasm: ok, two photographs
  self-check    simd: ok, differs by LITTLE
Serve it:
  ${commandName()} serve --model small --models-dir ${modelsDir}
`);
  });

  test("is verified with the vectors of its import", async () => {
    const { code, stdout, stderr } = await runPortico(["verify", "--model", "small"], {
      PORTICO_MODELS: modelsDir,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^small on simd, against the vectors of its import, which Portico made itself \(portico import --golden has Keras make them\)\n/,
    );
    expect(stdout).toMatch(/\n2 passed, 0 differ, 0 failed; largest error \d\.\d\de-\d+\n$/);
  });

  test("keeps its name", async () => {
    expect(await runImport("twice.keras3.keras", "small", "--preprocess", "tf")).toEqual({
      code: 2,
      stdout: "",
      stderr: `portico: --name small: there is a model of this name in ${modelsDir}; replace it with --force, or take another name\n`,
    });
  });
});

describe("what cannot be imported leaves nothing", () => {
  test.each<[string, string, readonly string[], number, string]>([
    [
      "a file that is not there",
      "gone.h5",
      [],
      1,
      `${join(saved, "gone.h5")} cannot be read: ENOENT: no such file or directory, open '${join(saved, "gone.h5")}'`,
    ],
    [
      "a network that nobody knows",
      "twice.keras3.keras",
      [],
      2,
      `${join(saved, "twice.keras3.keras")}: the model is none that is known, and nothing in it says how its pictures are scaled; say it with --preprocess caffe, tf, torch or none`,
    ],
    [
      "another size",
      "twice.keras3.keras",
      ["--size", "8x9", "--preprocess", "tf"],
      2,
      `${join(saved, "twice.keras3.keras")}: --size 8x9: layer "picture" (InputLayer) takes pictures of 4 x 4`,
    ],
    [
      "no size",
      "twice.keras3.keras",
      ["--size", "224"],
      2,
      '--size: expected HEIGHTxWIDTH such as 224x224, got "224"',
    ],
  ])("%s", async (_, file, flags, code, message) => {
    const run = await runImport(file, "other", ...flags);
    expect({ ...run, stderr: run.stderr.split("\n")[0] }).toEqual({
      code,
      stdout: "",
      stderr: `portico: ${message}`,
    });
    expect((await readdir(modelsDir)).filter((name) => name !== "small")).toEqual([]);
  });

  test("a folder that cannot be written", async () => {
    const file = join(modelsDir, "..", `${Date.now()}-file`);
    await writeFile(file, "");
    const run = await runImport("twice.keras3.keras", "other", "--preprocess", "tf", "--models-dir", file);
    await rm(file);
    expect(run).toEqual({
      code: 2,
      stdout: "",
      stderr: `portico: the folder of models ${file} cannot be used: ENOTDIR at scandir ${file}; choose another with --models-dir DIR or PORTICO_MODELS\n`,
    });
  });
});
