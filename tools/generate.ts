import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { apiPage } from "./docs/api-page.ts";
import { errorsPage } from "./docs/errors-page.ts";

/** Writes src/gen from proto, and the pages of docs that come from tables in the code. */
execFileSync("buf", ["generate"], { stdio: "inherit", shell: process.platform === "win32" });
writeFileSync("docs/errors.md", errorsPage());
writeFileSync("docs/api.md", apiPage());
