import { isAbsolute, join, resolve } from "node:path";
import { homeFolder } from "../home-folder.ts";

/** What decides where the folder lies; a parameter, so that tests can stand on any system. */
interface FolderSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * The folder of the user's own models, one folder each: the flag, else `PORTICO_MODELS`, else where the system keeps a
 * user's data (`$XDG_DATA_HOME` or `~/.local/share` after the XDG base directory specification,
 * `~/Library/Application Support` on macOS, `%LOCALAPPDATA%` on Windows) in `portico/models`.
 */
export function resolveModelsDir(
  flag?: string,
  { env, platform, home }: FolderSurroundings = {
    env: process.env,
    platform: process.platform,
    home: homeFolder(),
  },
): string {
  const named = flag || env.PORTICO_MODELS;
  if (named) return resolve(named);
  if (platform === "win32") {
    return join(env.LOCALAPPDATA || join(home, "AppData", "Local"), "portico", "Models");
  }
  if (platform === "darwin") return join(home, "Library", "Application Support", "portico", "models");
  // The specification has relative paths ignored.
  const data = env.XDG_DATA_HOME && isAbsolute(env.XDG_DATA_HOME) ? env.XDG_DATA_HOME : undefined;
  return join(data ?? join(home, ".local", "share"), "portico", "models");
}
