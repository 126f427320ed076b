import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asFirstProcess, inOwnNetwork } from "../../tools/fewer-rights.ts";
import { silentPort } from "../../tools/loopback-port.ts";

/** A container's first process gets no signal that it does not listen to. */

const under = asFirstProcess();
/** The port is the one that a server has by default. */
const apart = inOwnNetwork("ip link set lo up");
let cache: string;

beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "portico-first-process-"));
});
afterAll(() => rm(cache, { recursive: true, force: true }));

describe.skipIf(!under)("stopped while it fetches a model, before it listens", () => {
  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("%s: exit code %i", async (signal, expected) => {
    const { listener, port } = await silentPort();
    const [program, ...args] = under as [string, ...string[]];
    // Of this model only its weights tell all, so it is fetched before the port opens.
    const serve = ["src/cli/portico.ts", "serve", "--listen", "127.0.0.1:0", "--model", "vgg16"];
    const outer = spawn(program, [...args, process.execPath, ...serve, "--cache", join(cache, signal)], {
      env: {
        ...process.env,
        npm_config_registry: `http://127.0.0.1:${port}/`,
        npm_config_proxy: `http://127.0.0.1:${port}/`,
        npm_config_https_proxy: `http://127.0.0.1:${port}/`,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    outer.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    const exited = once(outer, "exit");
    await expect.poll(() => stderr, { timeout: 30_000 }).toMatch(/^vgg16: fetching /);
    const children = await readFile(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8");
    process.kill(Number(children), signal);
    expect(await exited).toEqual([expected, null]);
    listener.close();
  });
});

test.skipIf(!under || !apart)("an empty OP_ENDPOINT: nobody outside can call, which is said", async () => {
  const command = [...(apart ?? []), ...(under ?? []), process.execPath, "src/cli/portico.ts"];
  const [program, ...args] = [...command, "serve", "--processor", "preview", "--workers", "1"];
  const outer = spawn(program as string, args, {
    env: { ...process.env, OP_ENDPOINT: "" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  outer.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  const exited = once(outer, "exit");
  await expect
    .poll(() => stdout, { timeout: 30_000 })
    .toContain("OP_ENDPOINT is empty and there is no --listen: only programs in this container can call");
  outer.kill("SIGKILL");
  await exited;
});
