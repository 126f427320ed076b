import { join } from "node:path";
import { type Component, npmPurl, toLicenses } from "./component.ts";
import { readDebianPackages } from "./debian-packages.ts";
import { hashFile } from "./hash-file.ts";
import { readBundledPackages, readJson, readNpmPackages } from "./npm-packages.ts";
import { readModels } from "./read-models.ts";

/** A bill of materials: https://cyclonedx.org/docs/1.6/json/ */
export interface Sbom {
  readonly $schema: string;
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/**
 * What is in the root file system of an image of Portico: read from it alone, so that nothing is listed that is not there. The
 * same file system always gives the same text.
 */
export function readSbom(root: string): Sbom {
  const app = join(root, "app");
  const portico = readJson<PackageJson>(join(app, "package.json"));
  const installed = readNpmPackages(app);
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "container",
        "bom-ref": "image",
        name: portico.name,
        version: portico.version,
        licenses: toLicenses(portico.license),
      },
    },
    components: [
      readNode(root),
      ...installed,
      ...readBundledPackages(app, installed),
      ...readModels(join(app, "cache"), join(app, "models")),
      ...readDebianPackages(root),
    ],
  };
}

/** The package that brought Node says which version it is. */
function readNode(root: string): Component {
  const { name, version } = readJson<PackageJson>(join(root, "usr/local/share/doc/node/package.json"));
  return {
    type: "application",
    "bom-ref": "usr/local/bin/node",
    name: "node",
    version,
    purl: npmPurl(name, version),
    licenses: toLicenses("MIT"),
    hashes: [{ alg: "SHA-256", content: hashFile(join(root, "usr/local/bin/node")) }],
  };
}
