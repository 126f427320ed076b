import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { requireTool } from "./require-tool.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "portico-tool-"));
  writeFileSync(join(folder, "there"), "#!/bin/sh\n");
  chmodSync(join(folder, "there"), 0o755);
  vi.stubEnv("PATH", `/nowhere:${folder}`);
  vi.stubEnv("PORTICO_REQUIRE", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test("finds a program on PATH", () => {
  expect(requireTool("there")).toBe(join(folder, "there"));
});

test("says what it skips", () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  expect(requireTool("absent")).toBeUndefined();
  expect(log).toHaveBeenCalledWith("skipped: needs absent");
});

test("turns a skip into a failure where PORTICO_REQUIRE says so", () => {
  vi.stubEnv("PORTICO_REQUIRE", "go, absent");
  expect(() => requireTool("absent")).toThrow("PORTICO_REQUIRE names absent, but it is not on PATH");
});
