import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { brokenOrtNativeWhy, writeBrokenOrtNative } from "../../tools/broken-ort-native.ts";
import { freePort, silentPort } from "../../tools/loopback-port.ts";
import { startPortico } from "../../tools/start-portico.ts";
import { createTestAuthority } from "../../tools/test-certificates.ts";
import { modelFile, resolveCacheDir } from "../node/model/model-cache.ts";
import { findModelManifest, findModelVariant } from "../node/model/model-catalog.ts";
import { packageFile } from "../node/package-file.ts";
import { describeEnvironment } from "./doctor-environment.ts";
import { type DoctorReport, describeFindings } from "./doctor-report.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-doctor-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command in a process of its own. */
function doctor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const command = [packageFile("src/cli/portico.ts"), "doctor", ...args];
    const { OP_ENDPOINT: _, ...rest } = process.env;
    execFile(process.execPath, command, { env: { ...rest, ...env } }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

async function findingsOf(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const { code, stdout, stderr } = await doctor([...args, "--json"], env);
  expect(stderr).toBe("");
  const { checks: findings, ...head } = JSON.parse(stdout) as DoctorReport;
  return { head, code, find: (name: string) => findings.find((finding) => finding.name === name), findings };
}

describe("portico doctor", () => {
  test("says what a bug report needs, with a self-check against Keras", async () => {
    const { code, head, find, findings } = await findingsOf(["--listen", "127.0.0.1:0"], {
      PORTICO_API_TOKEN: "hush-1",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=hush-2",
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://user:hush-3@collector.example/v1?key=hush-4",
    });
    expect(code).toBe(0);
    const { version, engines } = JSON.parse(await readFile(packageFile("package.json"), "utf8"));
    expect(head).toEqual({ version, ok: true });
    expect(engines.node).toBe(">=22.19.0");
    expect(find("portico")).toEqual({ name: "portico", state: "info", value: version });
    expect(find("node")).toEqual({ name: "node", state: "ok", value: process.versions.node });
    for (const name of ["system", "processor", "memory", "memory limit", "workers by default"]) {
      expect(find(name)).toMatchObject({ state: "info", value: expect.stringMatching(/\S/) });
    }
    expect(find("wasm SIMD")).toEqual({ name: "wasm SIMD", state: "ok", value: "yes" });
    expect(find("wasm relaxed SIMD")?.value).toMatch(/^(yes|no)$/);
    expect(find("wasm threads")).toEqual({ name: "wasm threads", state: "ok", value: "yes" });
    expect(find("cache")).toMatchObject({ state: "ok", value: resolveCacheDir() });
    const { onnx } = await findModelManifest("resnet50");
    expect(find("model resnet50")).toMatchObject({
      state: "ok",
      value: expect.stringContaining(`sha256 ${onnx.sha256} as it should be`),
    });
    expect(find("self-check")).toMatchObject({
      state: "ok",
      value: expect.stringMatching(
        /^resnet50 on simd: max abs error \d\.\d\de-7, started in \d+ ms, one picture in \d+ ms$/,
      ),
    });
    expect(find("port")).toEqual({ name: "port", state: "ok", value: "127.0.0.1, port 0: free" });
    expect(find("npm registry")).toMatchObject({ state: "unchecked" });
    expect(find("peer @opentelemetry/api")).toMatchObject({ state: "info", value: "1.10.0" });
    expect(find("peer onnxruntime-node")).toMatchObject({
      state: "info",
      value: "not installed (--engine ort-native needs it)",
    });
    expect(find("peer webgpu")).toMatchObject({
      state: "info",
      value: "not installed (--engine ort-webgpu needs it)",
    });
    expect(find("env OTEL_EXPORTER_OTLP_ENDPOINT")?.value).toBe("https://***@collector.example/v1?***");
    expect(JSON.stringify(findings)).not.toContain("hush");
  }, 60_000);

  test("says which engine was passed over", async () => {
    const env = { NODE_PATH: await writeBrokenOrtNative(folder) };
    const { code, find } = await findingsOf(["--listen", "127.0.0.1:0"], env);
    expect(code).toBe(0);
    expect(find("peer onnxruntime-node")).toMatchObject({ value: "0.0.0" });
    expect(find("self-check")).toMatchObject({
      state: "ok",
      value: expect.stringMatching(/^resnet50 on simd: max abs error .*; an engine was passed over: .*$/),
    });
    expect(find("self-check")?.value).toContain(`; an engine was passed over: ${brokenOrtNativeWhy}`);
  }, 60_000);

  test("a fresh machine is well, though nothing can be checked yet", async () => {
    const cache = join(folder, "none");
    const { code, find } = await findingsOf(["--cache", cache, "--listen", "127.0.0.1:0"]);
    expect(code).toBe(0);
    expect(find("cache")).toEqual({ name: "cache", state: "ok", value: `${cache} (not made yet)` });
    expect(find("model resnet50")).toMatchObject({
      state: "unchecked",
      value: "not prepared; portico prepare resnet50 fetches it",
    });
    expect(find("models that are not prepared")).toMatchObject({
      state: "info",
      value: expect.stringMatching(
        /^densenet121, .*vgg16, vgg19, xception; portico prepare NAME fetches one$/,
      ),
    });
    expect(find("self-check")).toMatchObject({
      state: "unchecked",
      value: "the model resnet50 is not there to be run",
    });
  }, 60_000);

  test("a variant's file is looked at too, and its self-check asked for by name", async () => {
    const cache = join(folder, "variants");
    const file = modelFile(cache, await findModelVariant("resnet50", "int8"));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "no model");
    const { code, find } = await findingsOf([
      "--variant",
      "int8",
      "--cache",
      cache,
      "--listen",
      "127.0.0.1:0",
    ]);
    expect(code).toBe(1);
    expect(find("model resnet50")).toMatchObject({ state: "unchecked" });
    expect(find("model resnet50 fp16")).toBeUndefined();
    expect(find("model resnet50 int8")).toMatchObject({
      state: "failed",
      value: expect.stringMatching(
        /model-int8\.onnx: expected sha256 .*; mend it with: .* --variant int8 .* --force$/,
      ),
    });
    expect(find("self-check")?.value).toBe(
      "the model resnet50 int8 is there but cannot be used, so it is not run",
    );
  }, 60_000);

  test("a damaged model and a taken port are marked, and the exit code is 1", async () => {
    const cache = join(folder, "damaged");
    const file = modelFile(cache, await findModelManifest("resnet50"));
    await mkdir(dirname(file), { recursive: true });
    await copyFile(packageFile("package.json"), file);
    const { listener, port } = await silentPort();
    const { code, stdout } = await doctor(["--cache", cache, "--listen", `127.0.0.1:${port}`]);
    listener.close();
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line.startsWith("FAIL"))).toEqual([
      expect.stringMatching(
        /^FAIL model resnet50 +.*model\.onnx: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}; mend it with: /,
      ),
      expect.stringMatching(
        /^FAIL port +expected port \d+ on 127\.0\.0\.1 to be free, but something listens there/,
      ),
    ]);
    expect(lines.at(-1)).toBe("2 failed: model resnet50, port");
    const unchecked = lines.filter((line) => line.startsWith("?    self-check"));
    expect(unchecked).toEqual([
      expect.stringMatching(/ the model resnet50 is there but cannot be used, so it is not run$/),
    ]);
    const asJson = await findingsOf(["--cache", cache, "--listen", "127.0.0.1:0"]);
    expect([asJson.code, asJson.head.ok]).toEqual([1, false]);
    // Nothing was fetched in its place.
    expect(await readFile(file, "utf8")).toBe(await readFile(packageFile("package.json"), "utf8"));
  }, 60_000);

  test.each([
    ["--listen", false],
    ["--listen", true],
    ["OP_ENDPOINT", false],
    ["OP_ENDPOINT", true],
  ])(
    "a port where Portico runs is well: %s, TLS %s",
    async (how, isTls) => {
      const { certPem, keyPem } = createTestAuthority().issue("portico.example", ["portico.example"]);
      const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
      await Promise.all([writeFile(cert, certPem), writeFile(key, keyPem)]);
      const port = await freePort();
      const [listen, env] =
        how === "--listen" ? [["--listen", `127.0.0.1:${port}`], {}] : [[], { OP_ENDPOINT: `here:${port}` }];
      const server = await startPortico({
        args: [...listen, "--workers", "1", ...(isTls ? ["--tls-cert", cert, "--tls-key", key] : [])],
        env,
        until: "listening; the model is loading",
      });
      const { code, find } = await findingsOf(["--cache", join(folder, "none"), ...listen], env).finally(() =>
        server.stop(),
      );
      const read = server.log.filter(({ msg }) => msg === "the TLS certificate was read");
      expect(read).toEqual(
        isTls ? [expect.objectContaining({ file: cert, subject: "CN=portico.example", level: 30 })] : [],
      );
      const where = how === "--listen" ? "127.0.0.1" : "all interfaces";
      expect(find("port")).toEqual({
        name: "port",
        state: "ok",
        value: `${where}, port ${port}: Portico runs there already`,
      });
      expect(code).toBe(0);
    },
    60_000,
  );
});

describe("describeEnvironment", () => {
  test("tells what matters and hides what is secret", () => {
    const env = {
      PORTICO_CACHE: "/home/me/cache",
      PORTICO_TLS_KEY: "PEM",
      HOME: "/home/me",
      AWS_SECRET_ACCESS_KEY: "s",
      npm_config_registry: "https://me:pw@registry.example/npm/?token=t#f",
      npm_config__authToken: "s",
      npm_package_name: "portico",
      https_proxy: "http://me@proxy.example:3128",
      NODE_OPTIONS: "--max-old-space-size=512",
      OP_ENDPOINT: undefined,
    };
    expect(describeEnvironment(env).map(({ name, value }) => [name, value])).toEqual([
      ["env NODE_OPTIONS", "--max-old-space-size=512"],
      ["env PORTICO_CACHE", "/home/me/cache"],
      ["env PORTICO_TLS_KEY", "***"],
      ["env https_proxy", "http://***@proxy.example:3128"],
      ["env npm_config_registry", "https://***@registry.example/npm/?***#f"],
    ]);
  });
});

test("describeFindings aligns names and marks what failed", () => {
  expect(
    describeFindings([
      { name: "a", state: "ok", value: "1" },
      { name: "bcd", state: "info", value: "2" },
      { name: "e", state: "unchecked", value: "3" },
    ]),
  ).toBe("ok   a    1\n     bcd  2\n?    e    3\nall is well");
  expect(describeFindings([{ name: "a", state: "failed", value: "1" }])).toBe("FAIL a  1\n1 failed: a");
});
