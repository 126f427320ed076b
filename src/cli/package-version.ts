import { readFileSync } from "node:fs";
import { packageFile } from "../node/package-file.ts";

/** Portico's own version. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { version: string };
  return version;
}
