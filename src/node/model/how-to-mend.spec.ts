import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commandName } from "../command-name.ts";
import { howToMend } from "./how-to-mend.ts";
import { modelFile } from "./model-cache.ts";
import { findModelManifest } from "./model-catalog.ts";

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-mend-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

const resnet = await findModelManifest("resnet50");
const elsewhere = (verb: string, model: string, another: string) =>
  `it cannot be written here: build or pull the image again, ${verb} ${model} again where its folder can be written, or choose another ${another}`;

// Where folders are there and are not for this user to write: src/cli/bad-starts.spec.ts and tools/container.
test.each([
  [
    "prepared",
    true,
    undefined,
    () => `mend it with: ${commandName()} prepare resnet50 --cache ${work} --force`,
  ],
  [
    "prepared, in no folder",
    false,
    undefined,
    () => elsewhere("prepare", "resnet50", "cache with --cache DIR or PORTICO_CACHE"),
  ],
  [
    "imported",
    true,
    "flowers",
    () => `mend it with: ${commandName()} import FILE --name flowers --models-dir ${work} --force`,
  ],
  [
    "imported, in no folder",
    false,
    "flowers",
    () => elsewhere("import", "flowers", "folder with --models-dir DIR or PORTICO_MODELS"),
  ],
])("%s", async (_, isThere, imported, text) => {
  const root = isThere ? work : join(work, "none");
  const manifest =
    imported === undefined ? resnet : { ...resnet, name: imported, folder: join(root, imported) };
  const file = modelFile(root, manifest);
  if (isThere) await mkdir(dirname(file), { recursive: true });
  expect(await howToMend(file, manifest)).toBe(text());
});
