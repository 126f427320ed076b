import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireTool } from "./require-tool.ts";

const version = "v1.9.4";
const folder = fileURLToPath(new URL("../node_modules/.cache/portico/bin", import.meta.url));

/**
 * Full path of grpcurl, built once with Go from its pinned source, or undefined without Go: the test is then
 * skipped as `requireTool` says. A grpcurl on PATH is not used: its version could be any.
 */
export function requireGrpcurl(): string | undefined {
  const path = join(folder, `grpcurl-${version}`, "grpcurl");
  if (existsSync(path)) return path;
  const go = requireTool("go");
  if (go === undefined) return undefined;
  execFileSync(go, ["install", `github.com/fullstorydev/grpcurl/cmd/grpcurl@${version}`], {
    env: { ...process.env, GOBIN: join(path, ".."), GOFLAGS: "-mod=mod" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return path;
}
