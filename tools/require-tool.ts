import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Full path of a program on PATH that a test cannot do without, or undefined: the test is then skipped, and
 * `skipped: needs NAME` is printed. The environment variable PORTICO_REQUIRE (names, separated by commas)
 * says which programs must be there.
 * @throws Error if PORTICO_REQUIRE names the program and PATH does not have it
 */
export function requireTool(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (isExecutable(path)) return path;
  }
  return skipFor(name, "on PATH");
}

/**
 * Says that a test is skipped for want of something.
 * @param place where it was looked for
 * @throws Error if PORTICO_REQUIRE names it
 */
export function skipFor(name: string, place: string): undefined {
  const required = (process.env.PORTICO_REQUIRE ?? "").split(",").map((entry) => entry.trim());
  if (required.includes(name)) throw new Error(`PORTICO_REQUIRE names ${name}, but it is not ${place}`);
  console.log(`skipped: needs ${name}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for this user: the next folder may have it.
    return false;
  }
}
