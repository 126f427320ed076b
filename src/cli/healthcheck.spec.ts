import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { freePort } from "../../tools/loopback-port.ts";
import { runPortico } from "../../tools/run-portico.ts";
import { type PorticoProcess, startPortico } from "../../tools/start-portico.ts";
import { createTestAuthority } from "../../tools/test-certificates.ts";

/** Real servers, found by their process id as process 1 is in a container: tools/container/test-image.ts. */

let folder: string;
let server: PorticoProcess | undefined;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "portico-healthcheck-"));
  const authority = createTestAuthority();
  const { certPem, keyPem } = authority.issue("portico.example", ["portico.example"]);
  writeFileSync(join(folder, "ca.pem"), authority.certPem);
  writeFileSync(join(folder, "cert.pem"), certPem);
  writeFileSync(join(folder, "key.pem"), keyPem);
});
afterEach(() => server?.stop("SIGKILL"));
afterAll(() => rmSync(folder, { recursive: true }));

/** It has no model to load. */
const quick = ["--processor", "preview", "--workers", "1"];

const check = (pid: number | undefined, env: Record<string, string> = {}) =>
  runPortico([String(pid)], { OP_ENDPOINT: "", ...env }, "src/cli/healthcheck.ts");

test("by --listen, before OP_ENDPOINT", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  server = await startPortico({ args: [...quick, "--listen", address] });
  expect(await check(server.child.pid, { OP_ENDPOINT: "127.0.0.1:1" })).toEqual({
    code: 0,
    stdout: `http://${address}/readyz: ready\n`,
    stderr: "",
  });
});

test("by OP_ENDPOINT, whose host is that of callers", async () => {
  const port = await freePort();
  const env = { OP_ENDPOINT: `portico.example:${port}` };
  server = await startPortico({ args: quick, env });
  const { code, stdout } = await check(server.child.pid, env);
  expect([code, stdout]).toEqual([0, `http://127.0.0.1:${port}/readyz: ready\n`]);
});

test("with TLS, for other names than the one that is asked; not ready while it stops", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const tls = [`--tls-cert=${join(folder, "cert.pem")}`, "--tls-key", join(folder, "key.pem")];
  server = await startPortico({
    args: [...quick, ...tls, `--listen=${address}`, "--shutdown-delay-ms=60000"],
  });
  const { pid } = server.child;
  const { code, stdout } = await check(pid);
  expect([code, stdout]).toEqual([0, `https://${address}/readyz: ready\n`]);
  server.child.kill("SIGTERM");
  await expect.poll(async () => (await check(pid)).stdout).toBe(`https://${address}/readyz: 503 not ready\n`);
});

test("a server that wants a certificate of its clients lives, and tells no more", async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const files = { "--tls-cert": "cert.pem", "--tls-key": "key.pem", "--tls-client-ca": "ca.pem" };
  const tls = Object.entries(files).flatMap(([flag, file]) => [flag, join(folder, file)]);
  server = await startPortico({ args: [...quick, ...tls, "--listen", address] });
  const { code, stdout } = await check(server.child.pid);
  expect([code, stdout]).toEqual([
    0,
    `https://${address}/readyz: ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED; this check has no certificate, so that it lives is all that is known\n`,
  ]);
});

test("nobody there, a wrong OP_ENDPOINT, no such process: one line, exit code 1", async () => {
  const port = await freePort();
  const runs = await Promise.all([
    check(process.pid, { OP_ENDPOINT: `localhost:${port}` }),
    check(process.pid, { OP_ENDPOINT: "a:b:c" }),
    check(0),
  ]);
  expect(runs.map(({ code, stdout }) => [code, stdout.replace(/; .*/, "")])).toEqual([
    [1, `http://127.0.0.1:${port}/readyz: ECONNREFUSED\n`],
    [1, 'OP_ENDPOINT: expected HOST:PORT, got "a:b:c"\n'],
    [1, "ENOENT: no such file or directory, open '/proc/0/cmdline'\n"],
  ]);
});
