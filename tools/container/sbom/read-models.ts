import { existsSync, globSync } from "node:fs";
import { basename, join } from "node:path";
import { type Component, toLicenses } from "./component.ts";
import { hashFile } from "./hash-file.ts";
import { readJson } from "./npm-packages.ts";

interface Manifest {
  readonly description: string;
  readonly sources: readonly {
    readonly package?: string;
    readonly version?: string;
    readonly license?: string;
  }[];
  readonly fingerprint?: string;
}

/** The converted models in a folder as `portico prepare` makes it, and what their manifests say of their weights. */
export function readModels(cache: string, models: string): Component[] {
  if (!existsSync(cache)) return [];
  return globSync("*/*/*.onnx", { cwd: cache })
    .sort()
    .map((path) => {
      const [name, version] = path.split("/") as [string, string];
      const { description, sources, fingerprint } = readJson<Manifest>(join(models, name, "manifest.json"));
      const [source] = sources;
      const from = source?.package ? `npm package ${source.package}@${source.version}` : description;
      return {
        type: "machine-learning-model",
        "bom-ref": `cache/${path}`,
        name: basename(name),
        version,
        licenses: toLicenses(source?.license),
        hashes: [{ alg: "SHA-256", content: hashFile(join(cache, path)) }],
        properties: [
          { name: "portico:weights", value: from },
          ...(fingerprint === undefined ? [] : [{ name: "portico:vector-space", value: fingerprint }]),
        ],
      };
    });
}
