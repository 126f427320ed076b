import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import {
  type KerasGolden,
  makeGoldenStandIn,
  makeStandIn,
  readKerasGolden,
  toVectors,
} from "../../tools/stand-in-keras.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { compareVectors } from "../embed/compare-vectors.ts";
import { commandName } from "../node/command-name.ts";
import { findModelManifest } from "../node/model/model-catalog.ts";

const fixtures = fileURLToPath(new URL("../../fixtures/", import.meta.url));
const saved = join(fixtures, "golden/saved");
let modelsDir: string;

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
});
afterAll(() => rm(modelsDir, { recursive: true }));

const runImport = (file: string, name: string, ...flags: readonly string[]) =>
  runPortico(["import", join(saved, file), "--name", name, "--models-dir", modelsDir, ...flags]);

describe("a model of the user's own, with real Keras's vectors", () => {
  let golden: KerasGolden;
  let python: string;
  let server: PorticoProcess;
  let report: string;

  beforeAll(async () => {
    golden = await readKerasGolden("convolutions-torch-bilinear");
    python = await makeGoldenStandIn(golden);
    const flags = ["--preprocess", "torch", "--interpolation", "bilinear", "--golden", "--python", python];
    const { code, stdout, stderr } = await runImport("convolutions.keras3.keras", "small", ...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    report = stdout;
    server = await startPortico({
      args: ["--model", "small", "--workers", "1"],
      env: { PORTICO_MODELS: modelsDir },
    });
  });
  afterAll(async () => {
    await server?.stop("SIGKILL");
    await rm(dirname(python), { recursive: true });
  });

  test("is told with what was inferred, and why", async () => {
    const { fingerprint } = await findModelManifest("small", modelsDir);
    expect(report.replaceAll(/\d\.\d\de-\d+$/gm, "LITTLE")).toBe(`small is ready
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
  reference     the vectors of ${golden.madeBy}, largest error LITTLE
Serve it:
  ${commandName()} serve --model small --models-dir ${modelsDir}
`);
  });

  test("is served by its name, and gives them", async () => {
    for (const { image, vector } of golden.vectors) {
      const data = await readFile(join(fixtures, "images", image), "base64");
      const { vectors } = await call("omnisearch.Operator/Execute", { datas: [data] });
      const expected = new Float32Array(Uint8Array.from(Buffer.from(vector, "base64")).buffer);
      const got = Float32Array.from((vectors as { element: number[] }[])[0]!.element);
      expect(compareVectors(got, expected).maxAbsError).toBeLessThanOrEqual(1e-6);
    }
    expect(await call("omnisearch.Operator/Identity", {})).toMatchObject({ name: "small", dimension: "8" });
    const ready = server.log.find(({ msg }) => msg === "ready");
    expect(ready).toMatchObject({ model: "small", engine: "simd" });
    // The self-check of its start was against Keras's vector.
    expect(ready?.maxAbsError).toBeLessThanOrEqual(1e-6);
  });

  async function call(method: string, message: object): Promise<Record<string, unknown>> {
    const reply = await fetch(`http://${server.address}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
    });
    return (await reply.json()) as Record<string, unknown>;
  }

  test("is verified with them", async () => {
    const { code, stdout, stderr } = await runPortico([
      "verify",
      "--model",
      "small",
      "--models-dir",
      modelsDir,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^small on simd, against real Keras\n/);
    expect(stdout).toMatch(/\n2 passed, 0 differ, 0 failed; largest error \d\.\d\de-\d+\n$/);
  });

  test("is not replaced by one whose vectors are not Keras's", async () => {
    // The same network, but its pictures are scaled otherwise than in the stand-in's Keras.
    const wrong = await makeStandIn(
      `write({ madeBy: "keras 3", vectors: ${JSON.stringify(toVectors(golden))} });`,
    );
    const flags = ["--preprocess", "tf", "--golden", "--python", wrong, "--force"];
    const { code, stdout, stderr } = await runImport("convolutions.keras3.keras", "small", ...flags);
    await rm(dirname(wrong), { recursive: true });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(
      /^portico: expected vectors within 0\.00001 of those that keras 3 makes of the file, got a largest absolute error of 0\.\d+; nothing was imported\n$/,
    );
    expect((await findModelManifest("small", modelsDir)).preprocess.mode).toBe("torch");
  });
});

test("without Keras the model is imported all the same, and compared with its own vectors", async () => {
  const flags = ["--preprocess", "tf", "--golden", "--python", "no-such-python"];
  const run = await runImport("twice.keras3.keras", "alone", ...flags);
  expect({ ...run, stdout: run.stdout.split("\n")[0] }).toEqual({
    code: 1,
    stdout: "alone is ready",
    stderr:
      "portico: --golden: no-such-python cannot be run (ENOENT); give another with --python PATH; the model is imported without Keras's vectors\n",
  });
  expect(run.stdout).toContain(
    "  reference     the vectors of this import, by ort-wasm; --golden has Keras make them\n",
  );
  const verified = await runPortico(["verify", "--model", "alone"], { PORTICO_MODELS: modelsDir });
  expect({ code: verified.code, stderr: verified.stderr }).toEqual({ code: 0, stderr: "" });
  expect(verified.stdout).toMatch(
    /^alone on simd, against the vectors of its import, which Portico made itself \(portico import --golden has Keras make them\)\n/,
  );
  await rm(join(modelsDir, "alone"), { recursive: true });
});

describe("what cannot be imported leaves nothing", () => {
  const file = join(saved, "twice.keras3.keras");
  test.each<[string, readonly string[], string]>([
    [
      "a network that nobody knows",
      [],
      `${file}: the model is none that is known, and nothing in it says how its pictures are scaled; say it with --preprocess caffe, tf, torch or none`,
    ],
    ["a size of one side", ["--size", "224"], '--size: expected HEIGHTxWIDTH such as 224x224, got "224"'],
  ])("%s", async (_, flags, message) => {
    const run = await runImport("twice.keras3.keras", "other", ...flags);
    const stderr = run.stderr.split("\n")[0];
    expect({ ...run, stderr }).toEqual({ code: 2, stdout: "", stderr: `portico: ${message}` });
    expect((await readdir(modelsDir)).filter((name) => name !== "small")).toEqual([]);
  });
});

test.each(["SIGINT", "SIGTERM"] as const)("%s in the middle leaves nothing", async (signal) => {
  const python = await makeStandIn('console.error("started"); setInterval(() => {}, 1000);');
  const folder = await mkdtemp(join(tmpdir(), "portico-stopped-"));
  try {
    const file = join(saved, "convolutions.keras3.keras");
    const flags = [
      "--name",
      "stopped",
      "--models-dir",
      folder,
      "--preprocess",
      "tf",
      "--golden",
      "--python",
      python,
    ];
    const child = spawn(process.execPath, ["src/cli/portico.ts", "import", file, ...flags], {
      stdio: "pipe",
    });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const exited = once(child, "exit");
    // The script is written just before Python is started.
    await expect
      .poll(async () => (await readdir(folder, { recursive: true })).join(), { timeout: 50_000 })
      .toContain("vectors.settings.json");
    child.kill(signal);
    expect(await exited).toEqual([1, null]);
    expect(await output).toEqual(["", "portico: importing was stopped; nothing is left of it\n"]);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
    await rm(dirname(python), { recursive: true });
  }
});
