import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";

/** Compiles src to dist. Data (models, suites, goldens, proto) stays where it is, beside dist. */
rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit", shell: process.platform === "win32" });
chmodSync("dist/cli/portico.js", 0o755);
