import { fileURLToPath } from "node:url";
import { EmbedError } from "../errors.ts";

/**
 * The path of a file that the package ships. Data folders (models, fixtures, conformance, proto) lie beside
 * `src` in the repository and beside `dist` in the package and the container.
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** Why a file that the package ships cannot be used, and what helps: not a new one where the process may open no more. */
export function packageFileError(path: string, cause: unknown): EmbedError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const isWhole = ["EMFILE", "ENFILE"].includes((cause as NodeJS.ErrnoException)?.code ?? "");
  const mend = isWhole
    ? ""
    : "; it is part of Portico, so install Portico, or build or pull its image, again";
  return new EmbedError("CONFIG_INVALID", `${path} cannot be used: ${why}${mend}`, { cause });
}
