import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { readTlsFiles } from "./tls-files.ts";

const authority = createTestAuthority();
const server = authority.issue("localhost", ["localhost", "127.0.0.1"]);
const other = authority.issue("localhost", ["localhost"]);
const encryptedKey = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-tls-files-"));
  const files = {
    "cert.pem": server.certPem,
    "chain.pem": `a comment\n${server.certPem}${authority.certPem}`,
    "key.pem": server.keyPem,
    "other.pem": other.keyPem,
    "encrypted.pem": encryptedKey,
    "ca.pem": authority.certPem,
    "empty.pem": "",
    "cut.pem": server.certPem.slice(0, 200),
    "cut-chain.pem": server.certPem + authority.certPem.slice(0, 200),
    "garbage.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

const read = (cert: string, key: string, clientCa?: string) =>
  readTlsFiles({
    certFile: join(folder, cert),
    keyFile: join(folder, key),
    ...(clientCa && { clientCaFile: join(folder, clientCa) }),
  });

test.each([
  ["cert.pem", "key.pem"],
  ["chain.pem", "key.pem"],
  ["cert.pem", "key.pem", "ca.pem"],
])("%s, %s and %s are taken", async (cert, key, clientCa?: string) => {
  const material = await read(cert, key, clientCa);
  expect(material.leaf.subject).toBe("CN=localhost");
  expect(material.clientCa).toBe(clientCa && authority.certPem);
});

test.each<[string, string, string | undefined, string]>([
  ["none.pem", "key.pem", undefined, "--tls-cert: expected a readable file, got FOLDER/none.pem: ENOENT"],
  ["cert.pem", "none.pem", undefined, "--tls-key: expected a readable file, got FOLDER/none.pem: ENOENT"],
  ["cert.pem", "key.pem", ".", "--tls-client-ca: expected a readable file, got FOLDER: EISDIR"],
  ["empty.pem", "key.pem", undefined, "--tls-cert: expected PEM certificates in FOLDER/empty.pem, got none"],
  ["key.pem", "key.pem", undefined, "--tls-cert: expected PEM certificates in FOLDER/key.pem, got none"],
  [
    "cut.pem",
    "key.pem",
    undefined,
    "--tls-cert: expected PEM certificates in FOLDER/cut.pem, got one that is cut off",
  ],
  [
    "cut-chain.pem",
    "key.pem",
    undefined,
    "--tls-cert: expected PEM certificates in FOLDER/cut-chain.pem, got one that is cut off",
  ],
  [
    "garbage.pem",
    "key.pem",
    undefined,
    "--tls-cert: expected PEM certificates in FOLDER/garbage.pem, got one that does not parse: ",
  ],
  [
    "cert.pem",
    "cert.pem",
    undefined,
    "--tls-key: expected a PEM private key that is not encrypted in FOLDER/cert.pem, got none that parses",
  ],
  [
    "cert.pem",
    "encrypted.pem",
    undefined,
    "--tls-key: expected a PEM private key that is not encrypted in FOLDER/encrypted.pem, got an encrypted one",
  ],
  [
    "cert.pem",
    "other.pem",
    undefined,
    "--tls-key: expected the key of the certificate in FOLDER/cert.pem (--tls-cert), got another one in FOLDER/other.pem",
  ],
  [
    "cert.pem",
    "key.pem",
    "key.pem",
    "--tls-client-ca: expected PEM certificates in FOLDER/key.pem, got none",
  ],
])("%s, %s and %s are refused", async (cert, key, clientCa, message) => {
  const error = (await read(cert, key, clientCa).catch((thrown: unknown) => thrown)) as Error;
  expect(error).toMatchObject({ name: "EmbedError", reason: "CONFIG_INVALID" });
  const expected = message.replaceAll("FOLDER", folder);
  // What OpenSSL says of garbage differs from version to version.
  expect(message.endsWith(": ") ? error.message.slice(0, expected.length) : error.message).toBe(expected);
});
