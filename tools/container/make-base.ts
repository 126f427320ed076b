import { execFileSync } from "node:child_process";
import { existsSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ImageStore } from "./image-store.ts";

/** Paths that Debian's slim images have nothing of; copyright files stay, as there. */
const leftOut = ["doc", "man", "locale", "info"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);

/**
 * Makes an image of a Debian as slim as the default of BASE_IMAGE from Debian's packages, with mmdebstrap, so that no
 * image registry is needed.
 * @returns its name
 */
export function makeBase(store: ImageStore, folder: string): string {
  const archive = join(folder, "base.tar");
  const options = [
    "--quiet",
    "--variant=minbase",
    // As Debian's own images do: nobody keeps half of an installation.
    "--dpkgopt=force-unsafe-io",
    ...leftOut,
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
  ];
  execFileSync("mmdebstrap", [...options, "trixie", archive], { stdio: ["ignore", "inherit", "inherit"] });
  const container = store.ask("from", "scratch");
  store.ask("add", "--quiet", container, archive, "/");
  store.ask("commit", "--quiet", "--rm", container, "portico-base");
  rmSync(archive);
  return "localhost/portico-base";
}

/**
 * Adds to a base the npm of this machine and the Node that runs this, for BUILD_IMAGE: Debian's npm brings 381 packages
 * with it. Neither gets into the image.
 * @returns its name, or undefined where npm does not lie in one folder, as with Debian's
 */
export function addNpm(store: ImageStore, base: string, npm: string): string | undefined {
  const folder = dirname(dirname(realpathSync(npm)));
  if (!existsSync(join(folder, "node_modules"))) return undefined;
  const container = store.ask("from", base);
  store.ask("copy", "--quiet", container, folder, "/usr/local/lib/node_modules/npm");
  store.ask("copy", "--quiet", container, process.execPath, "/usr/local/bin/node");
  symlinkSync(
    "../lib/node_modules/npm/bin/npm-cli.js",
    join(store.ask("mount", container), "usr/local/bin/npm"),
  );
  store.ask("commit", "--quiet", "--rm", container, "portico-build-base");
  return "localhost/portico-build-base";
}
