import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireTool } from "./require-tool.ts";

const folder = fileURLToPath(new URL("../node_modules/.cache/portico/bin", import.meta.url));

/**
 * Full path of a program written in Go, built once from its pinned source, or undefined without Go: the test
 * is then skipped as `requireTool` says. A program of that name on PATH is not used: its version could be any.
 * @param module import path of the program's package, which ends with its name
 * @param version tag of the module, such as "v1.2.3"
 */
export function requireGoTool(name: string, module: string, version: string): string | undefined {
  const path = join(folder, `${name}-${version}`, name);
  if (existsSync(path)) return path;
  const go = requireTool("go");
  if (go === undefined) return undefined;
  execFileSync(go, ["install", `${module}@${version}`], {
    env: { ...process.env, GOBIN: join(path, ".."), GOFLAGS: "-mod=mod" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return path;
}
