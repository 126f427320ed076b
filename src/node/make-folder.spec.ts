import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-folder-"));
  await writeFile(join(work, "file"), "");
  await symlink(join(work, "nowhere"), join(work, "dangling"));
});

afterAll(() => rm(work, { recursive: true, force: true }));

test("those above it are made too, however many make them at once", async () => {
  const folder = join(work, "a", "b", "c");
  await Promise.all([makeFolder(folder), makeFolder(join(folder, "d")), makeFolder(folder)]);
  expect((await stat(join(folder, "d"))).isDirectory()).toBe(true);
});

test("one that is there stays", async () => {
  await makeFolder(work);
  await makeFolder("/");
  expect((await stat(join(work, "file"))).isFile()).toBe(true);
});

// With mkdir's own `recursive` the first of these never ends.
test.each([
  ["where the system makes none", () => "/proc/no-such-folder/a", "ENOENT", () => "/proc/no-such-folder"],
  ["below a file", () => join(work, "file", "a", "b"), "ENOTDIR", () => join(work, "file", "a")],
  ["below a dangling link", () => join(work, "dangling", "a"), "ENOENT", () => join(work, "dangling", "a")],
])("%s", async (_where, folderOf, code, pathOf) => {
  const error = await makeFolder(folderOf()).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code, syscall: "mkdir", path: pathOf() });
});
