import { writeFileSync } from "node:fs";
import { errorsPage } from "./errors-page.ts";

/** Writes the pages of docs/ that come from tables in the code. */
writeFileSync("docs/errors.md", errorsPage());
