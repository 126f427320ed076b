import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Images and containers of buildah in a folder of their own. */
export interface ImageStore {
  /** Runs buildah; what it prints is shown. @throws Error if it fails */
  run(...args: readonly string[]): void;
  /** Runs buildah. @returns what it printed */
  ask(...args: readonly string[]): string;
  /** The root file system of an image, made for reading, and what the image says of its processes. */
  open(image: string): OpenImage;
  /** Removes everything. */
  close(): void;
}

export interface OpenImage {
  readonly root: string;
  readonly config: ImageConfig;
}

/** The parts in use of https://github.com/opencontainers/image-spec/blob/main/config.md, and HEALTHCHECK of Docker. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck?: {
    readonly Test: readonly string[];
    /** In nanoseconds. */
    readonly Interval: number;
    readonly Timeout: number;
    readonly StartPeriod: number;
    readonly Retries: number;
  };
}

export function openImageStore(folder: string): ImageStore {
  const tmp = join(folder, "tmp");
  mkdirSync(tmp, { recursive: true });
  const options = {
    env: { ...process.env, TMPDIR: tmp },
    maxBuffer: 64 * 1024 * 1024,
  };
  const withDriver = (driver: string, args: readonly string[]) => [
    ...["--storage-driver", driver, "--root", join(folder, "root"), "--runroot", join(folder, "run")],
    ...args,
  ];
  // vfs copies whole file systems again and again, but works everywhere.
  const isOverlaid = spawnSync("buildah", withDriver("overlay", ["info"]), options).status === 0;
  const all = (args: readonly string[]) => withDriver(isOverlaid ? "overlay" : "vfs", args);
  const ask = (...args: readonly string[]) =>
    execFileSync("buildah", all(args), { ...options, encoding: "utf8" }).trim();
  return {
    run(...args) {
      execFileSync("buildah", all(args), { ...options, stdio: ["ignore", "inherit", "inherit"] });
    },
    ask,
    open(image) {
      const container = ask("from", image);
      const { Docker } = JSON.parse(ask("inspect", container)) as { Docker: { config: ImageConfig } };
      return { root: ask("mount", container), config: Docker.config };
    },
    close() {
      ask("rm", "--all");
      for (const part of ["root", "run", "tmp"]) rmSync(join(folder, part), { recursive: true, force: true });
      mkdirSync(tmp, { recursive: true });
    },
  };
}
