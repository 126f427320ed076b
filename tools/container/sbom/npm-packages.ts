import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Component, npmPurl, toHash, toLicenses } from "./component.ts";

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly integrity?: string }>>;
}

/** Paths of all packages below a folder, such as "node_modules/a" and "node_modules/a/node_modules/@b/c". */
export function findPackages(folder: string, path = "node_modules"): string[] {
  if (!existsSync(join(folder, path))) return [];
  return readdirSync(join(folder, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .flatMap(({ name }) =>
      name.startsWith("@")
        ? readdirSync(join(folder, path, name)).map((inner) => `${path}/${name}/${inner}`)
        : [`${path}/${name}`],
    )
    .flatMap((found) => [found, ...findPackages(folder, `${found}/node_modules`)]);
}

/**
 * The packages of npm that lie in a folder, with the hashes of the archives that npm took them from; those come from the
 * lockfile that npm itself left there.
 */
export function readNpmPackages(folder: string): Component[] {
  const lockfile = readJson<Lockfile>(join(folder, "node_modules/.package-lock.json"));
  return findPackages(folder).map((path) => {
    const { name, version, license } = readJson<PackageJson>(join(folder, path, "package.json"));
    const { integrity } = lockfile.packages[path] ?? {};
    return {
      type: "library",
      "bom-ref": path,
      name,
      version,
      purl: npmPurl(name, version),
      licenses: toLicenses(license),
      ...(integrity !== undefined && { hashes: [toHash(integrity)] }),
    };
  });
}

/** Packages whose code is bundled into the page, as the page itself lists them, but those that lie in node_modules too. */
export function readBundledPackages(folder: string, installed: readonly Component[]): Component[] {
  const known = new Set(installed.map(({ purl }) => purl));
  const text = readFileSync(join(folder, "dist/page/LICENSES.txt"), "utf8");
  return [...text.matchAll(/(?:^|\n----\n\n)(\S+) (\d\S*): (.+)\n/g)]
    .map(([, name, version, license]) => [name, version, license] as [string, string, string])
    .filter(([name, version]) => !known.has(npmPurl(name, version)))
    .map(([name, version, license]) => ({
      type: "library",
      "bom-ref": `dist/page/${name}`,
      name,
      version,
      purl: npmPurl(name, version),
      licenses: toLicenses(license),
    }));
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}
