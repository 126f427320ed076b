import type { ImageConfig } from "./image-store.ts";

/** As `docker run` takes them. */
export interface RunOptions {
  /** After the image's name: arguments of the entry point. */
  readonly args?: readonly string[];
  /** `-e`. */
  readonly env?: Readonly<Record<string, string>>;
  /** `--user UID:GID`; by default the image's. */
  readonly user?: string;
  /** `-v SOURCE:DESTINATION:ro`. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** `-v NAME:DESTINATION`: a new volume, which gets the owner that the image has there. */
  readonly emptyVolumes?: readonly string[];
}

/** https://github.com/moby/moby: oci/defaults.go, the same for every container. */
const maskedPaths = ["acpi", "asound", "interrupts", "kcore", "keys", "latency_stats", "timer_list", "scsi"];
const readonlyPaths = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

const mounts = [
  ["/proc", "proc", "proc", "nosuid", "noexec", "nodev"],
  ["/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"],
  ["/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  ["/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  ["/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"],
  ["/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"],
] as const;

/**
 * The configuration that Docker gives runc, its default runtime, for
 * `docker run --cap-drop ALL --read-only --security-opt no-new-privileges` (https://github.com/opencontainers/runtime-spec).
 * Only the network is not its own: it is that of whoever starts it.
 */
export function dockerLikeConfig(root: string, image: ImageConfig, options: RunOptions) {
  const [uid, gid] = (options.user ?? image.User).split(":").map(Number);
  const env = [...image.Env, ...Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`)];
  const none: string[] = [];
  return {
    ociVersion: "1.0.2",
    hostname: "portico",
    root: { path: root, readonly: true },
    process: {
      terminal: false,
      user: { uid, gid },
      args: [...image.Entrypoint, ...(options.args ?? [])],
      env: ["HOSTNAME=portico", ...env],
      cwd: image.WorkingDir,
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
      noNewPrivileges: true,
    },
    mounts: [
      ...mounts.map(([destination, type, source, ...flags]) => ({
        destination,
        type,
        source,
        options: flags,
      })),
      ...Object.entries(options.mounts ?? {}).map(([destination, source]) => ({
        ...{ destination, source, type: "bind", options: ["bind", "ro"] },
      })),
      ...(options.emptyVolumes ?? []).map((destination) => ({
        ...{ destination, source: "tmpfs", type: "tmpfs" },
        options: ["nosuid", "nodev", `uid=${uid}`, `gid=${gid}`, "mode=0755"],
      })),
    ],
    linux: {
      namespaces: ["pid", "ipc", "uts", "mount"].map((type) => ({ type })),
      maskedPaths: [...maskedPaths.map((name) => `/proc/${name}`), "/sys/firmware"],
      readonlyPaths: readonlyPaths.map((name) => `/proc/${name}`),
    },
  };
}
