import { EmbedError } from "../../errors.ts";

/** Why a prepared file cannot be read, as `MODEL_UNREACHABLE`, and what helps. */
export function unreadableFile(file: string, cause: unknown): EmbedError {
  const { code, message } = cause as NodeJS.ErrnoException;
  // Prepared by one user, served by another.
  const mend = code === "EACCES" ? "; let this user read it (chmod a+r)" : "";
  return new EmbedError("MODEL_UNREACHABLE", `${file} cannot be read: ${message}${mend}`, { cause });
}
