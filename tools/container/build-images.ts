import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ImageStore } from "./image-store.ts";

export interface BuildSettings {
  /** For BASE_IMAGE and BUILD_IMAGE; without them, the Dockerfile's own. */
  readonly base?: string;
  readonly buildBase?: string;
  /** A folder with the weights' tarball. */
  readonly weights?: string;
  /** For files of the build that are no part of the image. */
  readonly folder: string;
}

/** The targets of the Dockerfile that are for users. */
export interface BuiltImages {
  readonly full: string;
  readonly slim: string;
}

/**
 * Builds both targets of the Dockerfile. What they share is built once and given to each as the stage of its name, as
 * docker's cache would: no step runs twice, and none is left out. npm's configuration, certificates and cache of this machine are lent.
 */
export function buildImages(store: ImageStore, settings: BuildSettings): BuiltImages {
  const { base, buildBase, weights, folder } = settings;
  const npmrc = join(folder, "tmp/npmrc");
  const npmCache = askNpm("cache");
  const userConfig = askNpm("userconfig");
  writeFileSync(
    npmrc,
    `${existsSync(userConfig) ? readFileSync(userConfig, "utf8") : ""}\ncache=/var/cache/npm\n`,
    // It may hold credentials.
    { mode: 0o600 },
  );
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  const revision = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
  const build = (...args: readonly string[]) =>
    store.run(
      ...["build", "--quiet", "--isolation=chroot", "--format=docker"],
      `--label=org.opencontainers.image.revision=${revision}`,
      ...(base ? [`--build-arg=BASE_IMAGE=${base}`] : []),
      ...(buildBase ? [`--build-arg=BUILD_IMAGE=${buildBase}`] : []),
      ...(weights ? [`--build-context=weights=${resolve(weights)}`] : []),
      ...(certificates ? [`--secret=id=ca,src=${certificates}`] : []),
      ...[`--secret=id=npmrc,src=${npmrc}`, `--volume=${npmCache}:/var/cache/npm`, ...args, "."],
    );
  build("--target=runtime", "--tag=portico-runtime");
  const shared = "--build-context=runtime=container-image://localhost/portico-runtime";
  build(shared, "--target=slim", "--tag=portico:slim");
  build(shared, "--tag=portico");
  return { full: "localhost/portico", slim: "localhost/portico:slim" };
}

function askNpm(setting: string): string {
  return execFileSync("npm", ["config", "get", setting], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}
