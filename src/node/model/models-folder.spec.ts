import { resolve } from "node:path";
import { expect, test } from "vitest";
import { resolveModelsDir } from "./models-folder.ts";

const home = "/home/ada";

test.each([
  ["the flag before all", "some/folder", { PORTICO_MODELS: "/from-env" }, "linux", resolve("some/folder")],
  ["the variable", undefined, { PORTICO_MODELS: "/from-env", XDG_DATA_HOME: "/data" }, "linux", "/from-env"],
  ["XDG's folder", undefined, { XDG_DATA_HOME: "/data" }, "linux", "/data/portico/models"],
  [
    "not a relative one",
    undefined,
    { XDG_DATA_HOME: "data" },
    "linux",
    `${home}/.local/share/portico/models`,
  ],
  ["XDG's default", undefined, {}, "linux", `${home}/.local/share/portico/models`],
  ["macOS", undefined, {}, "darwin", `${home}/Library/Application Support/portico/models`],
  ["Windows", undefined, { LOCALAPPDATA: "/local" }, "win32", "/local/portico/Models"],
  ["an empty variable is none", "", { PORTICO_MODELS: "" }, "linux", `${home}/.local/share/portico/models`],
] as const)("the folder of own models: %s", (_, flag, env, platform, expected) => {
  expect(resolveModelsDir(flag, { env, platform, home })).toBe(expected);
});
