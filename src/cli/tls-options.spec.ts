import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runPortico } from "../../tools/run-portico.ts";
import { startPortico } from "../../tools/start-portico.ts";
import { createTestAuthority, type TestCertificate } from "../../tools/test-certificates.ts";
import { Operator } from "../gen/omnisearch/operator_pb.ts";
import { lookIntervalMs } from "../node/access/look-regularly.ts";
import { toTlsFiles } from "./tls-options.ts";
import { tryItLine } from "./try-it-line.ts";

const authority = createTestAuthority();
const first = authority.issue("first", ["127.0.0.1"]);
const second = authority.issue("second", ["127.0.0.1"]);
const elsewhere = authority.issue("elsewhere", ["portico.example"]);

let folder: string;
const file = (name: string) => join(folder, name);
const args = () => ["--tls-cert", file("tls.crt"), "--tls-key", file("tls.key")];

async function replace({ certPem, keyPem }: TestCertificate): Promise<void> {
  for (const [name, text] of [
    ["tls.key", keyPem],
    ["tls.crt", certPem],
  ] as const) {
    await writeFile(file("next"), text);
    await rename(file("next"), file(name));
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-tls-"));
  await replace(first);
  await writeFile(file("ca.crt"), authority.certPem);
  await writeFile(file("elsewhere.crt"), elsewhere.certPem);
});
afterAll(() => rm(folder, { recursive: true }));

test("without a flag there is no TLS", () => {
  expect(toTlsFiles({})).toBeUndefined();
});

describe("portico serve ends with one line", () => {
  test.each<[string, () => string[], string]>([
    [
      "a certificate without a key",
      () => ["--tls-cert", file("tls.crt")],
      "expected both --tls-cert and --tls-key for TLS, got only --tls-cert",
    ],
    [
      "a client authority alone",
      () => ["--tls-client-ca", file("ca.crt")],
      "expected both --tls-cert and --tls-key for TLS, got only --tls-client-ca",
    ],
    [
      "a file that is missing",
      () => ["--tls-cert", file("none"), "--tls-key", file("tls.key")],
      "--tls-cert: expected a readable file, got FOLDER/none: ENOENT",
    ],
    [
      "a key of another certificate",
      () => ["--tls-cert", file("elsewhere.crt"), "--tls-key", file("tls.key")],
      "--tls-key: expected the key of the certificate in FOLDER/elsewhere.crt (--tls-cert), got another one in FOLDER/tls.key",
    ],
    [
      "an authority that is none",
      () => [...args(), "--tls-client-ca", file("tls.key")],
      "--tls-client-ca: expected PEM certificates in FOLDER/tls.key, got none",
    ],
  ])("on %s", async (_, flags, message) => {
    const { code, stderr } = await runPortico(["serve", "--listen", "127.0.0.1:0", ...flags()]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `portico: ${message.replaceAll("FOLDER", folder)}\n`,
    });
  });

  test("on an empty path, as of a shell variable that is not set", async () => {
    const { code, stderr } = await runPortico(["serve", "--tls-cert", "", "--tls-key", file("tls.key")]);
    expect(code).toBe(2);
    expect(stderr).toContain("expected the path of a file, got nothing");
  });
});

test("the line to try is left out where it would be refused", () => {
  const tls = { certFile: file("tls.crt"), keyFile: file("tls.key") };
  const url = "https://127.0.0.1:1";
  expect(tryItLine(url, { tls })).toMatch(/ --cacert \S+tls\.crt -d @- https:/);
  expect(tryItLine(url, { tls: { ...tls, clientCaFile: file("ca.crt") } })).toBeUndefined();
  expect(tryItLine("https://localhost:1", { tls })).toBeUndefined();
  expect(tryItLine("https://[::1]:1", { tls })).toBeUndefined();
  const there = { ...tls, certFile: file("elsewhere.crt") };
  expect(tryItLine("https://portico.example:1", { tls: there })).toContain("--cacert");
});

test("a server with TLS says so, the line to try works, and a new certificate is taken", async () => {
  const server = await startPortico({ args: args() });
  try {
    expect(server.log.find(({ msg }) => msg === "ready")).toMatchObject({ url: `https://${server.address}` });
    const transport = createGrpcTransport({
      baseUrl: `https://${server.address}`,
      nodeOptions: { ca: authority.certPem },
    });
    const identity = await createClient(Operator, transport).identity({});
    expect(identity.endpoint).toBe(server.address);

    await expect.poll(() => server.stderr()).toMatch(/^Try it:\n.+\n$/);
    const { stdout } = await promisify(execFile)("sh", ["-c", server.stderr().split("\n")[1] as string]);
    expect(JSON.parse(stdout)).toMatchObject({ nums: "1" });

    await replace(second);
    await vi.waitFor(async () => expect(await subjectAt(server.address)).toBe("second"), {
      timeout: 4 * lookIntervalMs,
      interval: 500,
    });
    await expect
      .poll(() => server.log.at(-1))
      .toMatchObject({
        msg: "new connections get the new TLS certificate",
        subject: "CN=second",
      });
  } finally {
    await server.stop("SIGKILL");
  }
});

async function subjectAt(address: string): Promise<string> {
  const port = Number(address.split(":").at(-1));
  const socket = connect({ host: "127.0.0.1", port, ca: authority.certPem });
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}
