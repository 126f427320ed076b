import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { healthAnswerTimeoutMs } from "../../src/cli/health-answer-timeout.ts";
import { listMachineCode } from "../architectures/find-machine-code.ts";
import type { Cases } from "../cases.ts";
import { requireTool, skipFor } from "../require-tool.ts";
import type { ImageConfig, OpenImage } from "./image-store.ts";
import { measureSizes, modelPart, sizeTable, sumOf } from "./measure-sizes.ts";
import { npmPurl, toHash } from "./sbom/component.ts";
import { findPackages, readJson } from "./sbom/npm-packages.ts";
import { readSbom } from "./sbom/read-sbom.ts";

/** Compressed, without the model. */
const sizeLimits = { maxBytes: 200e6, aimBytes: 100e6 };

/** Times in seconds, as docs/container.md says them. */
const healthcheck = {
  Test: ["CMD", "node", "dist/cli/healthcheck.js"],
  Interval: 10,
  Timeout: 5,
  StartPeriod: 60,
  Retries: 3,
};

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
}

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly version: string; readonly integrity: string; readonly dev?: true }>
  >;
}

interface Manifest {
  readonly onnx: { readonly sha256: string };
}

/** Bill of materials and files of an image. @param name of its target */
export function checkContents(cases: Cases, name: string, image: OpenImage, folder: string) {
  checkNoNativeCode(cases, name, image.root);
  checkConfig(cases, name, image.config);
  checkSbom(cases, name, image.root, join(folder, `sbom-${name}.json`));
}

/** Sizes of both targets, which share all layers but the model. */
export async function checkSizes(cases: Cases, { full, slim }: Record<"full" | "slim", OpenImage>) {
  const sizes = await measureSizes(slim.root);
  const model = await measureSizes(full.root, [modelPart]);
  const [withoutModel, all] = [sumOf("slim", sizes), sumOf("full", [...sizes, ...model])];
  console.log(sizeTable([...sizes, withoutModel, ...model, all]));
  const text = `${(withoutModel.compressedBytes / 1e6).toFixed(1)} MB, aim ${sizeLimits.aimBytes / 1e6} MB`;
  const isSmall = withoutModel.compressedBytes <= sizeLimits.maxBytes;
  cases.check(`compressed, without the model, at most ${sizeLimits.maxBytes / 1e6} MB`, isSmall, text);
}

/** Wasm alone, so that /app is the same for every kind of processor. */
function checkNoNativeCode(cases: Cases, name: string, root: string) {
  cases.equal(`${name}: machine code in /app`, listMachineCode(join(root, "app")), []);
}

function checkConfig(cases: Cases, name: string, { User, Labels, Healthcheck, ExposedPorts }: ImageConfig) {
  const { version, description, license } = readJson<PackageJson>("package.json");
  const revision = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
  const label = (key: string) => Labels[`org.opencontainers.image.${key}`];
  cases.equal(`${name}: user`, User, "65532:65532");
  cases.equal(`${name}: ports`, Object.keys(ExposedPorts).sort(), ["52001/tcp", "80/tcp"]);
  cases.equal(
    `${name}: labels`,
    [label("title"), label("version"), label("description"), label("licenses"), label("revision")],
    ["portico", version, description, license, revision],
  );
  const { Test, Interval, Timeout, StartPeriod, Retries } = Healthcheck ?? {};
  const seconds = (nanoseconds = 0) => nanoseconds / 1e9;
  cases.equal(
    `${name}: HEALTHCHECK`,
    {
      Test,
      Interval: seconds(Interval),
      Timeout: seconds(Timeout),
      StartPeriod: seconds(StartPeriod),
      Retries,
    },
    healthcheck,
  );
  cases.check(
    `${name}: HEALTHCHECK has more time than it waits for an answer`,
    seconds(Timeout) > healthAnswerTimeoutMs / 1000,
    `${seconds(Timeout)} s, waits for ${healthAnswerTimeoutMs / 1000} s`,
  );
}

function checkSbom(cases: Cases, name: string, root: string, file: string) {
  const sbom = readSbom(root);
  const text = `${JSON.stringify(sbom, undefined, 2)}\n`;
  writeFileSync(file, text);
  const { components } = sbom;
  const ofType = (start: string) => components.filter(({ purl }) => purl?.startsWith(start)).length;
  cases.check(
    `${name}: bill of materials has Debian's packages and npm's`,
    ofType("pkg:deb/") > 50 && ofType("pkg:npm/") > 50,
    `${ofType("pkg:deb/")} of Debian, ${ofType("pkg:npm/")} of npm`,
  );
  const { sha256 } = readJson<Manifest>("models/resnet50/manifest.json").onnx;
  const models = components.filter(({ type }) => type === "machine-learning-model");
  cases.equal(
    `${name}: the models of the bill of materials, with the hashes of their manifests`,
    models.map((model) => [model.name, model.hashes]),
    name === "full" ? [["resnet50", [{ alg: "SHA-256", content: sha256 }]]] : [],
  );
  const lockfile = readJson<Lockfile>("package-lock.json");
  const wrong = findPackages(join(root, "app")).filter((path) => {
    const locked = lockfile.packages[path];
    const listed = components.find((component) => component["bom-ref"] === path);
    if (locked === undefined || locked.dev || listed === undefined) return true;
    const packageName = path.split("node_modules/").at(-1) as string;
    return (
      listed.purl !== npmPurl(packageName, locked.version) ||
      listed.hashes?.[0]?.content !== toHash(locked.integrity).content ||
      listed.licenses?.length === 0
    );
  });
  cases.check(
    `${name}: every npm package is in the bill of materials as package-lock.json has it, with a licence`,
    wrong.length === 0,
    wrong.join() || "all",
  );
  const validity = validate(file);
  if (validity !== undefined) {
    cases.check(`${name}: the bill of materials is valid CycloneDX`, validity === "", validity || "valid");
  }
}

/** Against the official schema, which cyclonedx-python-lib brings, with all it refers to. */
const validator = `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.stdout.write("" if error is None else str(error)[:2000])
`;
const validatorName = "cyclonedx-python-lib";
/** Where .ci/run puts it. */
const brought = resolve("output/brought/cyclonedx");

/** @returns what is wrong, "" if nothing is, undefined where the validator is missing, which is told */
function validate(file: string): string | undefined {
  const python = requireTool("python3");
  if (python === undefined) return undefined;
  const env = { ...process.env, PYTHONPATH: [brought, process.env.PYTHONPATH].filter(Boolean).join(":") };
  const isThere =
    spawnSync(python, ["-c", "import cyclonedx.validation.json, jsonschema"], { env }).status === 0;
  if (!isThere) return skipFor(validatorName, "a package of python3");
  const { stdout, stderr, status } = spawnSync(python, ["-c", validator, file], { encoding: "utf8", env });
  return status === 0 ? stdout : stderr;
}
