import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  downloadFolder,
  npmSourceOf,
  resolveCacheDir,
  sourceFileName,
} from "../../src/node/model/model-cache.ts";
import { findModelManifest } from "../../src/node/model/model-catalog.ts";
import { type CaseResult, createCases, reportCases } from "../cases.ts";
import { orUsage } from "../or-usage.ts";
import { requireTool, skipFor } from "../require-tool.ts";
import { buildImages } from "./build-images.ts";
import { checkContents, checkSizes } from "./check-contents.ts";
import { openImageStore } from "./image-store.ts";
import { addNpm, makeBase } from "./make-base.ts";
import type { TestSettings } from "./test-image.ts";

/**
 * Builds both targets of the Dockerfile with buildah, which needs no daemon, and tests them as root:
 *
 *   npm run container -- [--report FILE] [--protocol LIST] [--base-image IMAGE] [--weights FOLDER] [--debian-npm]
 *     [--keep]
 *
 * `--base-image` is for BASE_IMAGE; by default a minimal Debian is made with mmdebstrap, so that no image registry is
 * needed. `--protocol` is for the conformance suite. `--weights` is a folder with the tarball of the weights; by default what
 * `portico prepare` has fetched already. `--debian-npm` builds with the npm of Debian, as the
 * Dockerfile does where nothing else is given, not with this machine's. `--keep` leaves the images in output/container.
 * FILE gets {passed, failed, skipped, results} as JSON.
 */
const { values: flags } = orUsage(
  "npm run container -- [--report FILE] [--protocol LIST] [--base-image IMAGE] [--weights FOLDER] [--debian-npm] [--keep]",
  () =>
    parseArgs({
      options: {
        report: { type: "string" },
        "base-image": { type: "string" },
        protocol: { type: "string" },
        weights: { type: "string" },
        "debian-npm": { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
      },
    }),
);

const folder = resolve("output/container");
const cases = createCases();

const npm = requireTool("npm");
const tools = ["buildah", "runc", "unshare", "ip", ...(flags["base-image"] ? [] : ["mmdebstrap"])].map(
  requireTool,
);
const isRoot = process.getuid?.() === 0;
if (!isRoot) skipFor("root", "the user that runs this");
const isSkipped = npm === undefined || tools.includes(undefined) || !isRoot;
let tested: readonly CaseResult[] = [];
if (npm === undefined || isSkipped) cases.skip("the images");
else await cases.attempt("the run came to its end", () => run(npm));
reportCases([...cases.results, ...tested], flags.report);

async function run(npm: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const store = openImageStore(folder);
  const startedAt = performance.now();
  // A run that was ended by force may have left its own.
  store.close();
  const tell = (what: string) =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${what}`);
  try {
    const base = flags["base-image"] ?? makeBase(store, folder);
    tell("base made");
    const buildBase = flags["debian-npm"] ? undefined : addNpm(store, base, npm);
    const weights = flags.weights ?? (await findWeights());
    const images = buildImages(store, {
      base,
      folder,
      ...(buildBase && { buildBase }),
      ...(weights && { weights }),
    });
    tell("images built");
    const settings: TestSettings = {
      full: store.open(images.full),
      slim: store.open(images.slim),
      ...(flags.protocol && { protocols: flags.protocol }),
    };
    await cases.attempt("sizes", () => checkSizes(cases, settings));
    for (const name of ["full", "slim"] as const) {
      await cases.attempt(`contents of ${name}`, async () =>
        checkContents(cases, name, settings[name], folder),
      );
    }
    tell("contents checked");
    tested = testInOwnNetwork(settings);
    tell("images tested");
  } finally {
    if (!flags.keep) store.close();
    tell("removed");
  }
}

/** The tarball of the weights in the cache of this machine, alone in a folder. */
async function findWeights(): Promise<string | undefined> {
  const source = npmSourceOf(await findModelManifest("resnet50"));
  if (source === undefined) return undefined;
  const name = sourceFileName(source);
  const file = join(downloadFolder(resolveCacheDir()), name);
  if (!existsSync(file)) return undefined;
  const alone = join(folder, "tmp/weights");
  mkdirSync(alone, { recursive: true });
  copyFileSync(file, join(alone, name));
  return alone;
}

/** In a network of loopback alone, whose low ports are set as Docker has them, and as Linux does. */
function testInOwnNetwork(settings: TestSettings): readonly CaseResult[] {
  const [settingsFile, report] = [join(folder, "settings.json"), join(folder, "tested.json")];
  writeFileSync(settingsFile, JSON.stringify(settings));
  rmSync(report, { force: true });
  const command = ['ip link set lo up && exec "$0" "$@"', process.execPath, "tools/container/test-image.ts"];
  spawnSync("unshare", ["--net", "--", "sh", "-c", ...command, settingsFile, report], { stdio: "inherit" });
  return JSON.parse(readFileSync(report, "utf8")) as readonly CaseResult[];
}
