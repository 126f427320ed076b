import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { checkNewName, fillModelFolder } from "./import-folder.ts";

let modelsDir: string;
beforeEach(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "portico-models-"));
});
afterEach(() => rm(modelsDir, { recursive: true, force: true }));

const failure = (work: Promise<unknown>) => work.catch((reason: unknown) => reason as EmbedError);
const write = (text: string) => (folder: string) => writeFile(join(folder, "manifest.json"), text);
const read = () => readFile(join(modelsDir, "flowers", "manifest.json"), "utf8");

describe("a name is refused", () => {
  const form = "expected at most 64 of a-z, 0-9, _ and -, the first a letter or a digit";
  test.each([
    ["../flowers", form],
    ["a/b", form],
    [".hidden", form],
    ["-rf", form],
    ["Flowers", form],
    ["", form],
    ["f".repeat(65), form],
    ["flowers\n", form],
    ["none", "this name has another meaning; take another"],
    ["resnet50", "a model of this name ships with Portico; take another"],
  ])("%j", async (name, message) => {
    for (const force of [false, true]) {
      expect(await failure(checkNewName(modelsDir, name, force))).toMatchObject({
        reason: "CONFIG_INVALID",
        message: `--name ${name}: ${message}`,
      });
    }
  });

  test("that another model has", async () => {
    await mkdir(join(modelsDir, "flowers"));
    expect(await failure(checkNewName(modelsDir, "flowers", false))).toMatchObject({
      message: `--name flowers: there is a model of this name in ${modelsDir}; replace it with --force, or take another name`,
    });
    await checkNewName(modelsDir, "flowers", true);
    await checkNewName(join(modelsDir, "not", "made"), "f".repeat(64), false);
  });
});

describe("a model's folder", () => {
  test("has its name once it is whole, and nothing else is left", async () => {
    const deep = join(modelsDir, "made", "for", "it");
    await fillModelFolder(deep, "flowers", false, async (folder) => {
      await write("one")(folder);
      expect(await readdir(deep)).toEqual([expect.stringMatching(/^\.flowers\.\d+-[0-9a-f]{8}\.partial$/)]);
    });
    expect(await readdir(deep)).toEqual(["flowers"]);
  });

  test("is replaced by force only", async () => {
    await fillModelFolder(modelsDir, "flowers", false, write("one"));
    expect(await failure(fillModelFolder(modelsDir, "flowers", false, write("two")))).toMatchObject({
      reason: "CONFIG_INVALID",
      message: "--name flowers: another process imported a model of this name meanwhile",
    });
    expect(await read()).toBe("one");
    await fillModelFolder(modelsDir, "flowers", true, write("two"));
    expect(await read()).toBe("two");
    expect(await readdir(modelsDir)).toEqual(["flowers"]);
  });

  test("is not there if making it fails, and the one before stays", async () => {
    const drift = new EmbedError("VECTOR_DRIFT", "no");
    const fail = async (folder: string) => {
      await write("half")(folder);
      throw drift;
    };
    expect(await failure(fillModelFolder(modelsDir, "flowers", false, fail))).toBe(drift);
    expect(await readdir(modelsDir)).toEqual([]);
    await fillModelFolder(modelsDir, "flowers", false, write("one"));
    expect(await failure(fillModelFolder(modelsDir, "flowers", true, fail))).toBe(drift);
    expect(await read()).toBe("one");
    expect(await readdir(modelsDir)).toEqual(["flowers"]);
  });

  test("takes away what killed imports left, and nothing of those that live", async () => {
    const [dead, alive, other] = [
      ".tulips.999999999-00000000.partial",
      ".tulips.1-00000000.partial",
      "notes",
    ];
    for (const name of [dead, alive, other]) await mkdir(join(modelsDir, name));
    await fillModelFolder(modelsDir, "flowers", false, write("one"));
    expect((await readdir(modelsDir)).sort()).toEqual([alive, "flowers", other]);
  });

  test("cannot be made", async () => {
    const file = join(modelsDir, "file");
    await writeFile(file, "");
    for (const folder of [join(file, "models"), "/proc/no-such-folder"]) {
      const error = await failure(fillModelFolder(folder, "flowers", false, write("one")));
      expect(error).toMatchObject({
        reason: "CONFIG_INVALID",
        message: expect.stringMatching(
          `^the folder of models ${folder} cannot be used: (ENOTDIR|ENOENT) at mkdir .*; choose another with --models-dir DIR or PORTICO_MODELS$`,
        ),
      });
    }
  });
});
