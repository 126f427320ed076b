import { fileURLToPath } from "node:url";

/**
 * The path of a file that the package ships. Data folders (models, fixtures, conformance, proto) lie beside
 * `src` in the repository and beside `dist` in the package and the container.
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
