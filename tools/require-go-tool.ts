import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import tools from "./go-tools.json" with { type: "json" };
import { requireTool } from "./require-tool.ts";

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Full path of a program written in Go, built once from its pinned source, or undefined without Go: the test
 * is then skipped as `requireTool` says. A program of that name on PATH is not used: its version could be any.
 */
export function requireGoTool(name: keyof typeof tools): string | undefined {
  const path = file(`../output/go/${name}-${tools[name].version}/${name}`);
  if (existsSync(path)) return path;
  if (requireTool("go") === undefined) return undefined;
  execFileSync(process.execPath, [file("build-go-tools.mjs"), name], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return path;
}
