import { readSbom } from "./read-sbom.ts";

/** `npm run --silent sbom -- FOLDER > sbom.json`: the bill of materials of an image whose root file system lies in FOLDER. */
const [root] = process.argv.slice(2);
if (root === undefined) {
  console.error("npm run sbom -- FOLDER: expected the folder of an image's root file system");
  process.exit(2);
}
process.stdout.write(`${JSON.stringify(readSbom(root), undefined, 2)}\n`);
