import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { allowedImports, coreFolders, coreLibraries } from "./zones.ts";

/**
 * Checks that every import in `src` obeys the zones. Tests beside the code may import what they like, from
 * other packages and from Node. Names of other runtimes (`process`, `document`) are found by tsconfig.core.json,
 * which has no types for them.
 *
 * @param root the folder `src`
 * @returns one line per violation, empty if there is none
 */
export function checkZones(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
    .sort()
    .flatMap((path) => checkFile(root, path));
}

function checkFile(root: string, path: string): string[] {
  const folder = folderOf(path);
  const allowed = allowedImports[folder];
  if (!allowed) return [`src/${path}: "${folder}" is no zone of tools/checks/zones.ts`];
  const isSpec = path.endsWith(".spec.ts");
  const text = readFileSync(join(root, path), "utf8");
  const problems: string[] = [];

  for (const specifier of importsOf(text)) {
    if (specifier.startsWith(".")) {
      const target = relative(root, resolve(root, dirname(path), specifier));
      // Outside src lie test helpers and data; only tests may reach them.
      if (target.startsWith("..")) {
        if (!isSpec) problems.push(`src/${path}: imports ${specifier}, which is outside src`);
        continue;
      }
      const other = folderOf(target);
      if (other !== folder && !allowed.includes(other) && !isSpec) {
        problems.push(`src/${path}: ${folder} must not import ${other} (${specifier})`);
      }
    } else if (!isSpec && coreFolders.includes(folder) && !isCoreLibrary(specifier)) {
      problems.push(`src/${path}: ${specifier} is not on the core's list of libraries`);
    } else if (!isSpec && folder === "web" && specifier.startsWith("node:")) {
      problems.push(`src/${path}: the browser zone must not import ${specifier}`);
    }
  }
  return problems;
}

/** The zone's name: the first folder, or the file's own name without its ending. */
function folderOf(path: string): string {
  return (path.split("/")[0] as string).replace(/\.tsx?$/, "");
}

function isCoreLibrary(specifier: string): boolean {
  return Object.keys(coreLibraries).some((name) => specifier === name || specifier.startsWith(`${name}/`));
}

/** Every module that a file names: static imports, re-exports and literal dynamic imports. */
function importsOf(text: string): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)(["'])([^"'\n]+)\1/gm;
  return [...withoutComments(text).matchAll(pattern)].map((match) => match[2] as string);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}
