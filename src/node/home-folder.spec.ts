import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { skipFor } from "../../tools/require-tool.ts";

/** No account of the system has this number. */
const strangerUid = 54_321;
const isRoot = process.getuid?.() === 0;

/** Prints the home folder and that of the cache, once the module is loaded. */
const program = `
  const { resolveCacheDir } = await import("./src/node/model/model-cache.ts");
  const { homeFolder } = await import("./src/node/home-folder.ts");
  if (process.argv[1]) process.setuid(Number(process.argv[1]));
  console.log(homeFolder(), resolveCacheDir());
`;

function homeOf(env: Record<string, string>, uid?: number): string {
  const args = ["--input-type=module", "--eval", program, ...(uid === undefined ? [] : [String(uid)])];
  return execFileSync(process.execPath, args, { env, encoding: "utf8" }).trim();
}

test.each([
  ["HOME", { HOME: "/home/ada" }, "/home/ada /home/ada/.cache/portico"],
  ["an empty HOME", { HOME: "" }, "/ /.cache/portico"],
])("%s", (_, env, expected) => {
  expect(homeOf(env)).toBe(expected);
});

test.skipIf(!isRoot && skipFor("root", "the user of this process") === undefined)(
  "a user that the system does not know, without HOME",
  () => {
    expect(homeOf({}, strangerUid)).toBe("/ /.cache/portico");
  },
);
