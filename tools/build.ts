import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { buildBrowser } from "./build-browser.ts";
import { buildPage } from "./build-page.ts";

/** Compiles src to dist, and bundles what pages use and the page itself. Data (models, suites, goldens, proto) stays where it is, beside dist. */
rmSync("dist", { recursive: true, force: true });
execFileSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit", shell: process.platform === "win32" });
chmodSync("dist/cli/portico.js", 0o755);
await buildBrowser("dist/browser");
await buildPage();
