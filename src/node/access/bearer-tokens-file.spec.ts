import { mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { checkBearer } from "./bearer-tokens.ts";
import { openTokensFile, type TokensFile } from "./bearer-tokens-file.ts";

const old = "old-".repeat(8);
const young = "new-".repeat(8);

let folder: string;
let file: string;
let tokens: TokensFile | undefined;
let logged: unknown[][];
const log = {
  info: (...told: unknown[]) => void logged.push(["info", ...told]),
  error: (...told: unknown[]) => void logged.push(["error", ...told]),
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-tokens-"));
  file = join(folder, "tokens");
  logged = [];
});
afterEach(async () => {
  tokens?.close();
  await rm(folder, { recursive: true });
});

const open = async () => {
  tokens = await openTokensFile({ file, log, pollMs: 10 });
};
const knows = (token: string) => !checkBearer(`Bearer ${token}`, tokens?.current() ?? []);
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 });

describe("at the start", () => {
  test.each([
    ["missing", undefined, "expected a file of bearer tokens that can be read: ENOENT: no such file or dir"],
    ["empty", "\n", "expected at least one token, one a line, got none"],
    ["bad", "secret\n", "line 1: expected a token of at least 32 characters, got 6; fewer can be guessed"],
  ])("a file that is %s is a wrong setting", async (_, text, message) => {
    if (text !== undefined) await writeFile(file, text);
    const error = await open().catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
    const where = `--tokens-file ${file}: `;
    expect(error.message.slice(0, where.length + message.length)).toBe(where + message);
    expect(error.message).not.toContain("secret");
  });
});

describe("while the server runs", () => {
  test("new tokens hold and removed ones do not", async () => {
    await writeFile(file, old);
    await open();
    expect([knows(old), knows(young)]).toEqual([true, false]);
    await writeFile(`${file}.next`, `${old}\n${young}`);
    await rename(`${file}.next`, file);
    await eventually(() => expect([knows(old), knows(young)]).toEqual([true, true]));
    await writeFile(`${file}.next`, young);
    await rename(`${file}.next`, file);
    await eventually(() => expect([knows(old), knows(young)]).toEqual([false, true]));
    expect(logged).toEqual(
      [2, 1].map((count) => ["info", { file, tokens: count }, "the bearer tokens were read again"]),
    );
  });

  test("a swapped symbolic link is followed, as Kubernetes updates a secret", async () => {
    for (const [version, token] of Object.entries({ v1: old, v2: young })) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, "tokens"), token);
    }
    await symlink("v1", join(folder, "..data"));
    await symlink(join("..data", "tokens"), file);
    await open();
    expect([knows(old), knows(young)]).toEqual([true, false]);
    await symlink("v2", join(folder, "..next"));
    await rename(join(folder, "..next"), join(folder, "..data"));
    await eventually(() => expect([knows(old), knows(young)]).toEqual([false, true]));
  });

  test("a file that cannot be used changes nothing, and is told once until it can", async () => {
    await writeFile(file, old);
    await open();
    const told = () => logged.map(([level]) => level);
    await writeFile(file, "");
    await eventually(() => expect(told()).toEqual(["error"]));
    expect(logged[0]).toEqual([
      "error",
      { why: `--tokens-file ${file}: expected at least one token, one a line, got none` },
      "the bearer tokens stay as they were",
    ]);
    expect(knows(old)).toBe(true);
    await unlink(file);
    await eventually(() => expect(told()).toEqual(["error", "error"]));
    expect(knows(old)).toBe(true);
    await writeFile(`${file}.next`, young);
    await rename(`${file}.next`, file);
    await eventually(() => expect(knows(young)).toBe(true));
    expect(told()).toEqual(["error", "error", "info"]);
    expect(JSON.stringify(logged)).not.toMatch(/old-|new-/);
  });
});
