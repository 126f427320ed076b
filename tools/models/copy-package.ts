import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packageFile } from "../../src/node/package-file.ts";

/** What lies beside `src` in the package and is read where it is. */
const linked = ["node_modules", "fixtures", "conformance", "proto", "package.json", "tsconfig.json"];

/** Changes a manifest of a model, given as parsed JSON. */
export type ChangeManifest = (manifest: { sources: object[] }) => void;

/**
 * Copies the program into a folder of its own, whose shipped models may say something else: so a test can give a model another source
 * without a way to do so in the program itself.
 * @returns the path of `portico.ts`
 */
export async function copyPackage(
  folder: string,
  changes: Readonly<Record<string, ChangeManifest>>,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const noTests = (path: string) => !path.endsWith(".spec.ts");
  await cp(packageFile("src"), join(folder, "src"), { recursive: true, filter: noTests });
  await cp(packageFile("models"), join(folder, "models"), { recursive: true });
  for (const name of linked) await symlink(packageFile(name), join(folder, name));
  for (const [name, change] of Object.entries(changes)) {
    const file = join(folder, "models", name, "manifest.json");
    const manifest = JSON.parse(await readFile(file, "utf8")) as { sources: object[] };
    change(manifest);
    await writeFile(file, JSON.stringify(manifest));
  }
  return join(folder, "src/cli/portico.ts");
}
