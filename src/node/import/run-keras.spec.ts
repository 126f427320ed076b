import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { requireTool, skipFor } from "../../../tools/require-tool.ts";
import { makeGoldenStandIn, makeStandIn, readKerasGolden } from "../../../tools/stand-in-keras.ts";
import { compareVectors } from "../../embed/compare-vectors.ts";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { EmbedError } from "../../errors.ts";
import { importedTolerance } from "./import-golden.ts";
import { importInThread } from "./import-in-thread.ts";
import { type KerasOptions, type KerasVectors, maxVectorsBytes, runKeras } from "./run-keras.ts";

const golden = await readKerasGolden("twice-caffe-lanczos");
const file = fileURLToPath(new URL(`../../../fixtures/golden/${golden.file}`, import.meta.url));
const standIns: string[] = [];
let manifest: ModelManifest;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-keras-"));
  const imported = await importInThread({ file, wishes: { mode: "caffe" }, interpolation: "lanczos" });
  const { source, dimension, outputLayer, pooling, preprocess } = imported;
  const identity = { name: "twice", dimension } as ModelManifest["identity"];
  manifest = {
    name: "twice",
    folder,
    sources: [source],
    ...{ identity, outputLayer, pooling, preprocess },
  } as never;
});
afterAll(async () => {
  for (const one of [folder, ...standIns.map(dirname)]) await rm(one, { recursive: true });
});

const run = (python: string, options: Partial<KerasOptions> = {}) =>
  runKeras(manifest, { python, file, ...options });

async function standIn(code: string): Promise<string> {
  const python = await makeStandIn(code);
  standIns.push(python);
  return python;
}

function expectKeras(made: KerasVectors): void {
  if ("missing" in made) throw new Error(made.missing);
  expect(made.goldens.map(({ image }) => image)).toEqual(golden.vectors.map(({ image }) => image));
  for (const [index, { vector }] of made.goldens.entries()) {
    const bytes = Buffer.from(golden.vectors[index]!.vector, "base64");
    const expected = new Float32Array(Uint8Array.from(bytes).buffer);
    expect(compareVectors(vector, expected).maxAbsError).toBeLessThanOrEqual(importedTolerance);
  }
}

test("a program in Python's place is told what to do, and its vectors are taken", async () => {
  const python = await makeGoldenStandIn(golden);
  standIns.push(python);
  const made = await run(python);
  expectKeras(made);
  expect(made).toMatchObject({ madeBy: golden.madeBy });
  // The script stays, so that it can be read and run again.
  expect((await readdir(folder)).sort()).toEqual(["vectors.py", "vectors.settings.json"]);
  expect(JSON.parse(await readFile(join(folder, "vectors.settings.json"), "utf8"))).toEqual({
    ...{ file, topology: null, format: "keras-3", outputLayer: "average", pooling: "avg" },
    ...{ width: 4, height: 4, interpolation: "lanczos", mode: "caffe" },
    images: golden.vectors.map(({ image: name }) => ({
      name,
      path: fileURLToPath(new URL(`../../../fixtures/images/${name}`, import.meta.url)),
    })),
  });
});

describe("without vectors it is said why", () => {
  test.each<[string, string, (python: string) => string]>([
    [
      "no Keras",
      "console.error(\"ModuleNotFoundError: No module named 'keras'\"); process.exit(3);",
      (python) =>
        `${python} has no Keras (ModuleNotFoundError: No module named 'keras'); install it with: ${python} -m pip install tensorflow keras pillow`,
    ],
    [
      "Keras fails",
      'console.error("a line\\nkeras 3.15.1: ValueError: no"); process.exit(1);',
      () => "Keras makes no vectors of the file: keras 3.15.1: ValueError: no",
    ],
    [
      "it ends without a word",
      "process.exit(5);",
      () => "Keras makes no vectors of the file: it ended by exit code 5",
    ],
    [
      "it is killed",
      'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);',
      () => "Keras makes no vectors of the file: it ended by SIGKILL",
    ],
  ])("%s", async (_, code, missing) => {
    const python = await standIn(code);
    expect(await run(python)).toEqual({ missing: missing(python) });
  });

  test("there is no such program", async () => {
    const missing = "no-such-python cannot be run (ENOENT); give another with --python PATH";
    expect(await run("no-such-python")).toEqual({ missing });
  });
});

test("a program that takes too long is ended", async () => {
  const python = await standIn("setInterval(() => {}, 1000);");
  expect(await run(python, { timeoutMs: 1 })).toEqual({ missing: `${python} took longer than 1 ms` });
});

test("a program that has ended is not waited for because of what it left behind", async () => {
  const python = await standIn(`
const options = { stdio: ["ignore", "ignore", "inherit"], detached: true };
const child = require("node:child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 50_000)"], options);
writeFileSync(${JSON.stringify(join(folder, "left"))}, String(child.pid));
child.unref();
console.error("no");
process.exit(1);`);
  try {
    expect(await run(python)).toEqual({ missing: "Keras makes no vectors of the file: no" });
  } finally {
    process.kill(Number(await readFile(join(folder, "left"), "utf8")));
    await rm(join(folder, "left"));
  }
}, 40_000);

test("whoever stops the import stops the program, and what it has started", async () => {
  const pidFile = join(folder, "pid");
  const python = await standIn(`
const child = require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
writeFileSync(${JSON.stringify(`${pidFile}.new`)}, String(child.pid));
require("node:fs").renameSync(${JSON.stringify(`${pidFile}.new`)}, ${JSON.stringify(pidFile)});
setInterval(() => {}, 1000);`);
  const stop = new AbortController();
  const reason = new Error("enough");
  const running = run(python, { signal: stop.signal }).catch((error: unknown) => error);
  const pid = Number(await eventually(() => readFile(pidFile, "utf8")));
  stop.abort(reason);
  expect(await running).toBe(reason);
  await eventually(async () => expect(() => process.kill(pid, 0)).toThrow("ESRCH"));
  await rm(pidFile);
});

/** Tries until it works; the test's own time ends it. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await sleep(20);
    }
  }
}

describe("what is not a vector of this model is refused", () => {
  const image = golden.vectors[0]!.image;
  const vectors = (bytes: Buffer) =>
    `write({ madeBy: "x", vectors: { ${JSON.stringify(image)}: "${bytes.toString("base64")}" } });`;
  test.each([
    ["none", "write({});", `0 for ${image}`],
    ["another dimension", vectors(Buffer.alloc(16)), `4 for ${image}`],
    ["no norm", vectors(Buffer.alloc(12)), `a norm of 0 for ${image}`],
    ["no numbers", vectors(Buffer.alloc(12, 255)), `a norm of NaN for ${image}`],
    ["no JSON", 'writeFileSync(out, "{");', "1 characters that are no JSON"],
    ["null", "write(null);", `0 for ${image}`],
    ["no file", "", "no file"],
    ["a folder", 'require("node:fs").mkdirSync(out);', "what is no plain file"],
    [
      "gigabytes",
      'writeFileSync(out, ""); require("node:fs").truncateSync(out, 3e9);',
      `3000000000 bytes, more than ${maxVectorsBytes}`,
    ],
  ])("%s", async (_, code, got) => {
    await rm(join(folder, "vectors.out.json"), { recursive: true, force: true });
    const python = await standIn(code);
    const error = await run(python).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmbedError);
    expect(error).toMatchObject({
      reason: "VECTOR_DRIFT",
      message: `${python}: expected vectors of 3 elements, got ${got}`,
    });
  });
});

const python3 = requireTool("python3");

test.skipIf(!python3)("real Python without Keras", async () => {
  const modules = join(folder, "modules");
  await mkdir(modules);
  for (const name of ["keras.py", "tf_keras.py"])
    await writeFile(join(modules, name), 'raise ImportError("none here")\n');
  for (const name of ["numpy.py", "PIL.py"]) await writeFile(join(modules, name), "");
  const before = process.env.PYTHONPATH;
  process.env.PYTHONPATH = modules;
  try {
    expect(await run(python3!)).toEqual({
      missing: `${python3} has no Keras (ImportError: none here); install it with: ${python3} -m pip install tensorflow keras pillow`,
    });
  } finally {
    if (before === undefined) delete process.env.PYTHONPATH;
    else process.env.PYTHONPATH = before;
    await rm(modules, { recursive: true });
  }
});

const hasKeras = python3 !== undefined && findKeras(python3);

function findKeras(python: string): boolean {
  const search =
    "import importlib.util as u, sys; sys.exit(not (u.find_spec('keras') and u.find_spec('PIL')))";
  try {
    execFileSync(python, ["-c", search], { stdio: "ignore" });
    return true;
  } catch {
    skipFor("keras", "among python3's packages");
    return false;
  }
}

test.skipIf(!hasKeras)("real Keras makes the vectors that the golden has", async () => {
  const made = await run(python3!);
  expectKeras(made);
  expect(made).toMatchObject({ madeBy: expect.stringMatching(/^(tf_)?keras \d+\./) });
});
