import { existsSync } from "node:fs";
import { join } from "node:path";
import { readSbom } from "./read-sbom.ts";

/** `npm run --silent sbom -- FOLDER > sbom.json`: the bill of materials of an image whose root file system lies in FOLDER. */
const [root] = process.argv.slice(2);
if (root === undefined || !existsSync(join(root, "app/package.json"))) {
  const got = root === undefined ? "none" : `${root}, which has no app/package.json`;
  console.error(`npm run sbom -- FOLDER: expected the folder of an image's root file system, got ${got}`);
  process.exit(2);
}
process.stdout.write(`${JSON.stringify(readSbom(root), undefined, 2)}\n`);
