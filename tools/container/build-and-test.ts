import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { freePort } from "../loopback-port.ts";
import { orUsage } from "../or-usage.ts";

/**
 * Builds the image of the Dockerfile with buildah, which needs no daemon, starts it as its own user with
 * OP_ENDPOINT set, and runs the conformance suite against it. Run it from the root of the repository, as root:
 *
 *   node tools/container/build-and-test.ts [--base-image IMAGE] [--weights FOLDER] [--keep]
 *
 * `--base-image` is for BASE_IMAGE; by default a minimal Debian is made with mmdebstrap where that is
 * installed, so that no image registry is needed. `--weights` is a folder with the tarball of the weights.
 * `--keep` leaves images and containers in output/container; what npm fetched stays there in any case.
 */
const { values: flags } = orUsage(
  "npm run container -- [--base-image IMAGE] [--weights FOLDER] [--keep]",
  () =>
    parseArgs({
      options: {
        "base-image": { type: "string" },
        weights: { type: "string" },
        keep: { type: "boolean", default: false },
      },
    }),
);

const folder = resolve("output/container");
/** Where buildah keeps the cache mounts of the Dockerfile from one build to the next. */
const env = { ...process.env, TMPDIR: join(folder, "tmp") };
const image = "portico";
const base = "portico-base";
/** Phantoscope waits no longer for an operator to be ready. */
const readyWithinMs = 10_000;
const expectedUser = "65532";

if (!isInstalled("buildah")) {
  console.log("skipped: needs buildah");
  process.exit(0);
}

mkdirSync(env.TMPDIR, { recursive: true });
try {
  build(flags["base-image"] ?? makeBase());
  printSizes();
  await test();
} finally {
  if (!flags.keep)
    for (const part of ["root", "run", "oci"]) rmSync(join(folder, part), { recursive: true, force: true });
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Storage of its own beside the project's other outputs; chroot and vfs work inside a container too. */
function buildahArgs(args: readonly string[]): string[] {
  return [
    "--storage-driver",
    "vfs",
    "--root",
    join(folder, "root"),
    "--runroot",
    join(folder, "run"),
    ...args,
  ];
}

function buildah(...args: string[]): void {
  execFileSync("buildah", buildahArgs(args), { env, stdio: ["ignore", "inherit", "inherit"] });
}

function askBuildah(...args: string[]): string {
  return execFileSync("buildah", buildahArgs(args), { env, encoding: "utf8" }).trim();
}

/** A Debian as slim as the default of BASE_IMAGE; undefined, for that default, where mmdebstrap is missing. */
function makeBase(): string | undefined {
  if (!isInstalled("mmdebstrap")) return undefined;
  const archive = join(folder, "base.tar");
  const leaveOut = ["doc", "man", "locale", "info"].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  const args = ["--variant=minbase", ...leaveOut, "--dpkgopt=path-include=/usr/share/doc/*/copyright"];
  execFileSync("mmdebstrap", ["--quiet", ...args, "trixie", archive], { stdio: "inherit" });
  const container = askBuildah("from", "scratch");
  buildah("add", "--quiet", container, archive, "/");
  buildah("commit", "--quiet", "--rm", container, base);
  rmSync(archive);
  return `localhost/${base}`;
}

/** npm's configuration and further certificates of this machine are lent to the build, not copied into it. */
function build(baseImage: string | undefined): void {
  const npmrc = execFileSync("npm", ["config", "get", "userconfig"], { encoding: "utf8" }).trim();
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  buildah(
    "build",
    "--isolation=chroot",
    `--tag=${image}`,
    ...(baseImage ? [`--build-arg=BASE_IMAGE=${baseImage}`] : []),
    ...(existsSync(npmrc) ? [`--secret=id=npmrc,src=${npmrc}`] : []),
    ...(certificates ? [`--secret=id=ca,src=${certificates}`] : []),
    ...(flags.weights ? [`--build-context=weights=${resolve(flags.weights)}`] : []),
    ".",
  );
}

function printSizes(): void {
  const unpacked = askBuildah("images", "--format", "{{.Name}} {{.Size}}");
  console.log(`unpacked:\n${unpacked}`);
  const pushed = join(folder, "oci");
  buildah("push", "--quiet", image, `oci:${pushed}`);
  const blobs = join(pushed, "blobs/sha256");
  const bytes = readdirSync(blobs).reduce((sum, name) => sum + statSync(join(blobs, name)).size, 0);
  console.log(`compressed, as a registry sends it: ${(bytes / 1e6).toFixed(1)} MB`);
}

async function test(): Promise<void> {
  const container = askBuildah("from", image);
  const user = askBuildah("run", "--isolation=chroot", container, "--", "node", "-p", "process.getuid()");
  expectEqual("user of the container", user, expectedUser);

  const [endpointPort, fixturePort] = [await freePort(), await freePort()];
  const endpoint = `127.0.0.1:${endpointPort}`;
  const fixtureHost = `127.0.0.1:${fixturePort}`;
  const inspected = JSON.parse(askBuildah("inspect", "--type=container", container));
  const entrypoint = inspected.OCIv1.config.Entrypoint as string[];
  const startedAt = performance.now();
  const server = spawn(
    "buildah",
    buildahArgs([
      "run",
      "--isolation=chroot",
      `--env=OP_ENDPOINT=${endpoint}`,
      container,
      "--",
      ...entrypoint,
      "--allow-hosts",
      fixtureHost,
    ]),
    { env, stdio: ["ignore", "pipe", "inherit"] },
  );
  const { pid } = await waitUntilReady(server);
  const readyMs = performance.now() - startedAt;
  console.log(`ready after ${Math.round(readyMs)} ms, buildah's own start included`);

  try {
    const page = await fetch(`http://${endpoint}/`, { headers: { accept: "text/html" } });
    expectEqual("page in a browser", page.headers.get("content-type"), "text/html; charset=utf-8");
    const suite = ["conformance", "--endpoint", endpoint, "--fixture-host", fixtureHost];
    const code = await exitCode(spawn("node", ["src/cli/portico.ts", ...suite], { stdio: "inherit" }));
    expectEqual("exit code of conformance", code, 0);
    if (readyMs > readyWithinMs)
      throw new Error(`expected ready within ${readyWithinMs} ms, took ${readyMs}`);
  } finally {
    if (server.exitCode === null) process.kill(pid, "SIGTERM");
    expectEqual("exit code after SIGTERM", await exitCode(server), 0);
  }
}

/** Reads the server's log up to the line that says it is ready. */
async function waitUntilReady(server: ChildProcess): Promise<{ pid: number }> {
  const ended = exitCode(server).then((code) => {
    throw new Error(`the container ended with exit code ${code} before it was ready`);
  });
  const ready = new Promise<{ pid: number }>((found) => {
    createInterface(server.stdout!).on("line", (line) => {
      console.log(`container: ${line}`);
      const entry = line.startsWith("{") ? (JSON.parse(line) as { msg: string; pid: number }) : undefined;
      if (entry?.msg === "ready") found(entry);
    });
  });
  return Promise.race([ready, ended]);
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

function expectEqual(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`);
  console.log(`${what}: ${got}`);
}
