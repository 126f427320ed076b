import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestAuthority, type TestCertificate } from "../../../tools/test-certificates.ts";
import { readTlsFiles, type TlsMaterial } from "./tls-files.ts";
import { watchTlsFiles } from "./tls-watch.ts";

const authority = createTestAuthority();
const first = authority.issue("first", ["localhost"]);
const second = authority.issue("second", ["localhost"]);
const intervalMs = 20;

let folder: string;
let watch: { stop(): void } | undefined;
let changes: TlsMaterial[];
let logged: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-tls-watch-"));
  changes = [];
  logged = [];
});
afterEach(async () => {
  watch?.stop();
  await rm(folder, { recursive: true });
});

async function write(into: string, { certPem, keyPem }: TestCertificate): Promise<void> {
  await mkdir(join(folder, into), { recursive: true });
  await writeFile(join(folder, into, "tls.crt"), certPem);
  await writeFile(join(folder, into, "tls.key"), keyPem);
}

async function start(): Promise<void> {
  const files = { certFile: join(folder, "live/tls.crt"), keyFile: join(folder, "live/tls.key") };
  watch = watchTlsFiles({
    files,
    material: await readTlsFiles(files),
    intervalMs,
    onChange: (material) => changes.push(material),
    log: (level, message, { why = "" }) => logged.push(`${level}: ${message}${why && `: ${why}`}`),
  });
}

/** At once: a file that is written where it lies is empty for a moment, in which it may be looked at. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(join(folder, "replacement"), text);
  await rename(join(folder, "replacement"), file);
}

const subjects = () => changes.map(({ leaf }) => leaf.subject);
const reloaded = "info: new connections get the new TLS certificate";

test("the link that Kubernetes swaps is followed", async () => {
  await write("..1", first);
  await symlink("..1", join(folder, "live"));
  await start();
  await write("..2", second);
  await symlink("..2", join(folder, "next"));
  await rename(join(folder, "next"), join(folder, "live"));
  await expect.poll(subjects).toEqual(["CN=second"]);
  await sleep(5 * intervalMs);
  expect(subjects()).toEqual(["CN=second"]);
  expect(logged).toEqual([reloaded]);
});

test("a new file that is renamed over the old one is seen, also twice, and also back", async () => {
  await write("live", first);
  await start();
  for (const [next, count] of [
    [second, 1],
    [first, 2],
  ] as const) {
    await write("new", next);
    await rename(join(folder, "new/tls.key"), join(folder, "live/tls.key"));
    await rename(join(folder, "new/tls.crt"), join(folder, "live/tls.crt"));
    await expect.poll(() => changes).toHaveLength(count);
  }
  expect(subjects()).toEqual(["CN=second", "CN=first"]);
});

test("a mismatched, a half-written and a missing file change nothing, and are told once each", async () => {
  await write("live", first);
  await start();
  const kept = "error: the TLS files changed and cannot be used; the old ones stay";
  const key = join(folder, "live/tls.key");
  const cert = join(folder, "live/tls.crt");
  const states: [() => Promise<void>, string][] = [
    [
      () => replace(cert, second.certPem),
      `${kept}: --tls-key: expected the key of the certificate in ${cert} (--tls-cert), got another one in ${key}`,
    ],
    [
      () => replace(key, second.keyPem.slice(0, 60)),
      `${kept}: --tls-key: expected a PEM private key that is not encrypted in ${key}, got none that parses`,
    ],
    [() => rm(key), `${kept}: --tls-key: expected a readable file, got ${key}: ENOENT`],
  ];
  for (const [change, told] of states) {
    await change();
    await expect.poll(() => logged.at(-1)).toBe(told);
    await sleep(5 * intervalMs);
  }
  expect(logged).toEqual(states.map(([, told]) => told));
  expect(changes).toEqual([]);

  await writeFile(key, second.keyPem);
  await expect.poll(subjects).toEqual(["CN=second"]);
  expect(logged.at(-1)).toBe(reloaded);
});

test("nothing is read after stop", async () => {
  await write("live", first);
  await start();
  watch?.stop();
  await write("live", second);
  await sleep(5 * intervalMs);
  expect(changes).toEqual([]);
});
