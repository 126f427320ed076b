import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { modelFile } from "./model-cache.ts";
import {
  findModelDescription,
  findModelManifest,
  listModelNames,
  listShippedModels,
} from "./model-catalog.ts";
import { prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";

const failure = (work: Promise<unknown>) => work.catch((reason: unknown) => reason as EmbedError);

test("every manifest that ships is sound", async () => {
  const names = await listShippedModels();
  const others = ["densenet121", "inception_v3", "resnet101", "vgg16", "vgg19", "xception"];
  expect(names).toEqual(["resnet50", ...others].sort());
  for (const name of names) expect((await findModelDescription(name)).name).toBe(name);
});

test("the identity of ResNet50 is the one that the contract asks for", async () => {
  const manifest = await findModelManifest("resnet50");
  expect(manifest.identity).toEqual({
    name: "resnet50_encoder",
    type: "encoder",
    input: "image",
    output: "vector",
    dimension: 2048,
    metricType: "L2",
  });
});

test.each(["vgg99", "../../package.json", ""])("an unknown name: %s", async (name) => {
  const error = await failure(findModelManifest(name));
  expect(error).toBeInstanceOf(EmbedError);
  expect(error).toMatchObject({ reason: "MODEL_UNKNOWN" });
  const known = (await listModelNames()).join(", ");
  expect(error).toMatchObject({ message: `there is no model "${name}"; known models: ${known}` });
});

describe("models of the user's own", () => {
  let modelsDir: string;
  let shipped: readonly string[];

  async function addModel(name: string, manifest: object | string): Promise<void> {
    await mkdir(join(modelsDir, name), { recursive: true });
    const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
    await writeFile(join(modelsDir, name, "manifest.json"), text);
  }

  beforeAll(async () => {
    shipped = await listShippedModels();
    modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
    const { variants: _, ...resnet } = await findModelManifest("resnet50");
    const source = { kind: "file", file: "my.h5", format: "keras-h5", bytes: 1, sha256: "0".repeat(64) };
    const own = {
      ...resnet,
      sources: [source],
      description: "own",
      onnx: { sha256: "1".repeat(64), bytes: 3 },
    };
    await addModel("flowers", { ...own, name: "flowers" });
    await addModel("resnet50", { ...own, name: "resnet50" });
    await addModel("renamed", { ...own, name: "flowers" });
    await addModel("torn", "{");
    await addModel(".flowers.1-00000000.partial", own);
    await writeFile(join(modelsDir, "notes"), "a file");
  });
  afterAll(() => rm(modelsDir, { recursive: true }));

  test("are listed beside those that ship", async () => {
    const names = [...shipped, "flowers", "renamed", "torn"].sort();
    expect(await listModelNames(modelsDir)).toEqual(names);
    expect(await listModelNames(join(modelsDir, "not-made-yet"))).toEqual(shipped);
    expect(await failure(findModelManifest("tulips", modelsDir))).toMatchObject({
      reason: "MODEL_UNKNOWN",
      message: `there is no model "tulips"; known models: ${names.join(", ")}`,
    });
  });

  test("lie in their folder, and in no cache", async () => {
    const manifest = await findModelManifest("flowers", modelsDir);
    expect(manifest).toMatchObject({ description: "own", folder: join(modelsDir, "flowers") });
    expect(modelFile("/cache", manifest)).toBe(join(modelsDir, "flowers", "model.onnx"));
  });

  test("never hide one that ships", async () => {
    expect((await findModelManifest("resnet50", modelsDir)).description).not.toBe("own");
  });

  test("are refused if their manifest is broken", async () => {
    expect(await failure(findModelManifest("torn", modelsDir))).toMatchObject({
      reason: "CONFIG_INVALID",
      message: expect.stringContaining(`${join(modelsDir, "torn", "manifest.json")} cannot be read: `),
    });
    expect(await failure(findModelManifest("renamed", modelsDir))).toMatchObject({
      reason: "CONFIG_INVALID",
      message: `${join(modelsDir, "renamed", "manifest.json")}: expected the name "renamed", got "flowers"`,
    });
  });

  test("are imported again if their file is gone or was changed", async () => {
    const manifest = await findModelManifest("flowers", modelsDir);
    const file = join(modelsDir, "flowers", "model.onnx");
    const command = `import FILE --name flowers --models-dir ${modelsDir} --force`;
    expect(await failure(prepareModel(manifest))).toMatchObject({
      reason: "MODEL_UNREACHABLE",
      message: expect.stringMatching(
        `^${file}: expected the 3 bytes of the imported model flowers; mend it with: .*${command}$`,
      ),
    });
    await writeFile(file, "abc");
    expect(await prepareModel(manifest)).toBe(file);
    expect(await failure(readModel(file, manifest))).toMatchObject({
      reason: "MODEL_CORRUPT",
      message: expect.stringMatching(`^${file}: expected sha256 1{64}, got .*; mend it with: .*${command}$`),
    });
  });
});
