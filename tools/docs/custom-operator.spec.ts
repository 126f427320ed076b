import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { normaliseL2 } from "../../src/embed/normalise.ts";
import { packageFile } from "../../src/node/package-file.ts";
import { freePort } from "../loopback-port.ts";
import { copyPackage } from "../models/copy-package.ts";
import { type ReleaseHost, sendFile, startReleaseHost } from "../models/release-host.ts";
import { type Release, writeRelease } from "../models/write-release.ts";
import { decodeVector } from "../networks/network-goldens.ts";
import { type PhantoscopeServer, startPhantoscopeServer } from "../phantoscope-server.ts";
import { requireGrpcurl } from "../require-grpcurl.ts";
import { requireTool } from "../require-tool.ts";
import { type PorticoProcess, startPortico } from "../start-portico.ts";
import { preparePython } from "./prepare-python.ts";
import { outputPattern, readSnippets, type Snippet } from "./read-snippets.ts";
import { createReaderShell, type ReaderShell } from "./reader-shell.ts";

/**
 * Runs each command of docs/custom-operator.md in its order, with a file of the official layout and random weights: only the host of the
 * weights, and ports, are others.
 */

const snippets = readSnippets("docs/custom-operator.md");
const github = "https://github.com/";
const store = "https://storage.googleapis.com/";

let work: string;
let release: Release;
let host: ReleaseHost;
let portico: string;
let shell: ReaderShell;
let server: PorticoProcess | undefined;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-walk-"));
  release = await writeRelease(join(work, "release.h5"), "vgg19");
  const manifest = JSON.parse(await readFile(packageFile("models/vgg19/manifest.json"), "utf8"));
  const [{ url, bytes }] = manifest.sources as [{ url: string; bytes: number }];
  // Of the same weights the real file has the same size: the layout is the one that it has.
  expect(Math.abs(release.bytes / bytes - 1)).toBeLessThan(0.01);
  host = await startReleaseHost({ [`/${url.slice(github.length)}`]: sendFile(release.file, release.bytes) });
  portico = await copyPackage(join(work, "package"), {
    vgg19({ sources }) {
      for (const source of sources as { url: string }[]) {
        const local = source.url.replace(github, host.url).replace(store, host.url);
        Object.assign(source, { url: local, md5: release.md5, bytes: release.bytes });
      }
    },
  });
  const cache = join(work, "cache/portico");
  shell = await createReaderShell(work, portico, packageFile(""), { PORTICO_CACHE: cache });
});
afterAll(async () => {
  await server?.stop();
  host?.close();
  if (work) await rm(work, { recursive: true, force: true });
});

/** Runs a snippet as a reader would; gives what it prints. */
const run = (code: string, env?: Record<string, string>) =>
  shell.run(server ? code.replaceAll("127.0.0.1:51009", server.address) : code, env);

const only = (kind: string): Snippet => {
  const [snippet, ...others] = snippets.filter((one) => one.kind === kind);
  expect(others).toEqual([]);
  return snippet!;
};
/** As the page has it; how far a download is after five seconds is a matter of the machine. */
const asOnPage = (text: string) => text.replaceAll(host.url, github).replaceAll(/^.* s left\n/gm, "");

test("the page has the commands that are run here", () => {
  const kinds = snippets.map(({ kind, needs }) => needs || kind);
  const first = ["prepare", "json", "serve", "sh", "sh", "grpcurl", "python3"];
  expect(kinds).toEqual([...first, "verify", "container", "register"]);
});

test("prepare prints what the page says", async () => {
  const { code, output } = only("prepare");
  const { stdout, stderr } = await run(code);
  expect(asOnPage(stderr + stdout)).toMatch(outputPattern(output));
});

test("prepare --json tells what was found out", async () => {
  const { stdout } = await run(only("json").code);
  const { model, vectorSpace, onnx, weights } = JSON.parse(stdout);
  expect({ model, bytes: weights.bytes }).toEqual({ model: "vgg19", bytes: release.bytes });
  for (const hash of [vectorSpace.replace(/^sha256:/, ""), onnx.sha256, weights.sha256]) {
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  }
  // The first prepare's: nothing was fetched again.
  expect(host.requests).toHaveLength(1);
});

test("serve", async () => {
  const words = only("serve").code.trim().split(" ");
  expect(words.slice(0, 2)).toEqual(["portico", "serve"]);
  const args = words.slice(2).map((word) => word.replace("127.0.0.1:51009", "127.0.0.1:0"));
  server = await startPortico({ args, env: shell.env, entry: portico });
});

for (const snippet of snippets.filter(({ kind }) => kind === "sh" || kind === "python")) {
  const { kind, needs, code, output } = snippet;
  const tool = needs === "grpcurl" ? requireGrpcurl() : needs ? requireTool(needs) : process.execPath;
  const title = code.split("\n").find((line) => /buf curl|grpcurl|import grpc/.test(line));
  test.skipIf(tool === undefined)(`call: ${title?.trim()}`, async () => {
    if (kind === "python") {
      const python = await preparePython(join(work, "python"));
      await writeFile(join(work, "client.py"), code.replaceAll("127.0.0.1:51009", server!.address));
      const { stdout } = await run(`'${python}' '${work}/client.py'`, { PYTHONPATH: join(work, "python") });
      expect(stdout).toBe("1 512\n");
      return;
    }
    const { stdout } = await run(code, { PATH: `${dirname(tool!)}${delimiter}${shell.env.PATH}` });
    if (output !== "") {
      expect(JSON.parse(stdout)).toEqual({ ...JSON.parse(output), endpoint: server!.address });
      return;
    }
    const { nums, vectors } = JSON.parse(stdout) as { nums: string; vectors: { element: number[] }[] };
    expect(nums).toBe("1");
    expectKeras(vectors[0]!.element);
  });
}

/** The golden of the photograph that the page sends. */
function expectKeras(element: readonly number[]): void {
  const photo = release.golden.vectors.find(({ image }) => image === "photo/locomotion-house-cat.jpg");
  const expected = normaliseL2(decodeVector(photo!.vector));
  expect(element).toHaveLength(512);
  const { maxAbsError } = compareVectors(Float32Array.from(element), expected);
  expect(maxAbsError).toBeLessThanOrEqual(release.golden.tolerance * Math.max(...expected));
}

// Two engines, one after the other, on a machine that may be busy.
test("verify prints what the page says", { timeout: 180_000 }, async () => {
  const { code, output } = only("verify");
  expect((await run(code)).stdout).toMatch(outputPattern(output));
});

describe("the container", () => {
  let contained: PorticoProcess | undefined;
  let phantoscope: PhantoscopeServer;
  beforeAll(async () => {
    phantoscope = await startPhantoscopeServer({ api: "v0.1" });
  });
  afterAll(() => Promise.all([contained?.stop(), phantoscope.close()]));

  test("its arguments are those of the Dockerfile, and what it then runs serves the model", async () => {
    const [build = "", start = ""] = only("container").code.trim().split("\n");
    const dockerfile = await readFile(packageFile("Dockerfile"), "utf8");
    const [, tag] = /^docker build -t (\S+) --build-arg MODEL=vgg19 \.$/.exec(build) ?? [];
    expect(dockerfile).toMatch(/^ARG MODEL=resnet50$/m);
    expect(dockerfile).toMatch(/ node dist\/cli\/portico\.js prepare "\$\{MODEL\}" --cache \/cache /);
    expect(dockerfile).toMatch(/^COPY --from=model \/cache \/app\/cache$/m);
    expect(dockerfile).toMatch(/^ENV PORTICO_CACHE=\/app\/cache PORTICO_MODEL=\$\{MODEL\}$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "dist\/cli\/portico.js", "serve"\]$/m);
    const command = `docker run -p 51009:51009 -e OP_ENDPOINT=$\{LOCAL_ADDRESS}:51009 -d ${tag}`;
    expect(start).toBe(command);
    // As the image's environment and entry point have it.
    const OP_ENDPOINT = `127.0.0.1:${await freePort()}`;
    contained = await startPortico({
      env: { ...shell.env, PORTICO_MODEL: "vgg19", OP_ENDPOINT },
      entry: portico,
    });
    expect(contained.log.find(({ msg }) => msg === "ready")).toMatchObject({ model: "vgg19" });
  });

  test("register makes it known to Phantoscope", async () => {
    const endpoint = contained!.address;
    const port = endpoint.split(":")[1]!;
    const code = only("register")
      .code.replaceAll(":51009", `:${port}`)
      .replaceAll(":5000", `:${new URL(phantoscope.url).port}`);
    const { stdout } = await run(code, { LOCAL_ADDRESS: "127.0.0.1" });
    expect(stdout).toContain(`vgg19 is registered with Phantoscope at ${phantoscope.url} (API v0.1)\n`);
    expect(phantoscope.operators.get("vgg19")).toMatchObject({
      _name: "vgg19",
      _endpoint: endpoint,
      _type: "encoder",
      _dimension: 512,
      _metric_type: "L2",
    });
  });
});
