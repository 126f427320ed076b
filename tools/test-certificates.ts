import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

/**
 * X.509 certificates for tests, made from Node's own keys and signatures, since a machine may lack openssl:
 * just enough of DER (ITU-T X.690) for the profile of RFC 5280.
 */
export interface TestCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface TestAuthority extends TestCertificate {
  /** A certificate that this authority signs, for names and IP addresses; below 0 days it has expired. */
  issue(commonName: string, hosts?: readonly string[], days?: number): TestCertificate;
}

export function createTestAuthority(commonName = "Portico test authority"): TestAuthority {
  const { publicKey, privateKey } = newKeys();
  const isAuthority = [
    extension([2, 5, 29, 19], sequence(tlv(0x01, [0xff]))),
    extension([2, 5, 29, 15], tlv(0x03, [1, 0x06])),
  ];
  const make = (subject: string, key: KeyObject, extensions: Buffer[], days = 30) =>
    toPem(
      "CERTIFICATE",
      signCertificate({ issuer: commonName, subject, key, signer: privateKey, extensions, days }),
    );
  return {
    certPem: make(commonName, publicKey, isAuthority),
    keyPem: keyToPem(privateKey),
    issue(subject, hosts = [], days) {
      const keys = newKeys();
      const extensions =
        hosts.length > 0 ? [extension([2, 5, 29, 17], sequence(...hosts.map(generalName)))] : [];
      return { certPem: make(subject, keys.publicKey, extensions, days), keyPem: keyToPem(keys.privateKey) };
    },
  };
}

const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const keyToPem = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" }) as string;

interface CertificateFacts {
  readonly issuer: string;
  readonly subject: string;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
  readonly days: number;
}

const dayMs = 86_400_000;
/** ecdsa-with-SHA256 (RFC 5758). */
const ecdsaWithSha256 = [1, 2, 840, 10_045, 4, 3, 2];

/** RFC 5280, section 4.1. */
function signCertificate({ issuer, subject, key, signer, extensions, days }: CertificateFacts): Buffer {
  const algorithm = sequence(objectId(ecdsaWithSha256));
  const toSign = sequence(
    tlv(0xa0, tlv(0x02, [2])),
    tlv(0x02, [0x01, ...randomBytes(8)]),
    algorithm,
    name(issuer),
    sequence(time(Date.now() - 60 * dayMs), time(Date.now() + days * dayMs)),
    name(subject),
    createPublicKey(key.export({ type: "spki", format: "pem" })).export({ type: "spki", format: "der" }),
    ...(extensions.length > 0 ? [tlv(0xa3, sequence(...extensions))] : []),
  );
  return sequence(toSign, algorithm, tlv(0x03, [0, ...sign("sha256", toSign, signer)]));
}

function toPem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** One DER value: tag, length, content. */
function tlv(tag: number, content: Uint8Array | readonly number[]): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.from([tag, ...size, ...content]);
}

const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, Buffer.concat(parts));

function objectId([first = 0, second = 0, ...rest]: readonly number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 127];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return tlv(0x06, bytes);
}

function name(commonName: string): Buffer {
  const attribute = sequence(objectId([2, 5, 4, 3]), tlv(0x0c, Buffer.from(commonName)));
  return sequence(tlv(0x31, attribute));
}

/** UTCTime, YYMMDDhhmmssZ. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return tlv(0x17, Buffer.from(digits.slice(2)));
}

const extension = (id: readonly number[], value: Buffer) => sequence(objectId(id), tlv(0x04, value));

function generalName(host: string): Buffer {
  return isIP(host) === 4 ? tlv(0x87, host.split(".").map(Number)) : tlv(0x82, Buffer.from(host));
}
