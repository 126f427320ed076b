import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { EmbedError } from "../../errors.ts";

/** Where the server's TLS identity lies: PEM files, as cert-manager, certbot and openssl write them. */
export interface TlsFiles {
  /** The certificate, then the intermediate ones if there are any. */
  readonly certFile: string;
  /** Its private key, not encrypted. */
  readonly keyFile: string;
  /** Authorities of client certificates. With it, a client must show a certificate that one of them signed. */
  readonly clientCaFile?: string;
}

/** What the files held, checked: the key belongs to the certificate and OpenSSL takes all of it. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
  /** Of the server's own certificate, for the log and for clients on this machine. */
  readonly leaf: X509Certificate;
}

/** The files' texts as they are now, not checked. */
export interface TlsTexts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
}

/**
 * @throws EmbedError `CONFIG_INVALID` that names the flag and the file which cannot be used, and why
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsMaterial> {
  return checkTlsTexts(await readTlsTexts(files), files);
}

/** @throws EmbedError `CONFIG_INVALID`: a file cannot be read */
export async function readTlsTexts(files: TlsFiles): Promise<TlsTexts> {
  const [cert, key, clientCa] = await Promise.all([
    readText("--tls-cert", files.certFile),
    readText("--tls-key", files.keyFile),
    files.clientCaFile === undefined ? undefined : readText("--tls-client-ca", files.clientCaFile),
  ]);
  return { cert, key, ...(clientCa !== undefined && { clientCa }) };
}

/** @throws EmbedError `CONFIG_INVALID`: a text is not what its flag says, or they do not belong together */
export function checkTlsTexts(texts: TlsTexts, files: TlsFiles): TlsMaterial {
  const { cert, key, clientCa } = texts;
  const leaf = parseCertificates("--tls-cert", files.certFile, cert);
  const privateKey = parseKey(files.keyFile, key);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--tls-key: expected the key of the certificate in ${files.certFile} (--tls-cert), got another one in ${files.keyFile}`,
    );
  }
  if (clientCa !== undefined) parseCertificates("--tls-client-ca", String(files.clientCaFile), clientCa);
  try {
    createSecureContext({ cert, key, ...(clientCa !== undefined && { ca: clientCa }) });
  } catch (error) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--tls-cert: expected a certificate that OpenSSL takes, got ${files.certFile}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
  return { ...texts, leaf };
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The first of the certificates in a PEM text, all of which must parse. */
function parseCertificates(flag: string, file: string, text: string): X509Certificate {
  const begun = text.split("-----BEGIN CERTIFICATE-----").length - 1;
  const blocks = text.match(pemCertificate) ?? [];
  if (begun === 0 || blocks.length !== begun) {
    const got = begun === 0 ? "none" : "one that is cut off";
    throw new EmbedError("CONFIG_INVALID", `${flag}: expected PEM certificates in ${file}, got ${got}`);
  }
  try {
    const [leaf] = blocks.map((block) => new X509Certificate(block));
    return leaf as X509Certificate;
  } catch (error) {
    const message = `${flag}: expected PEM certificates in ${file}, got one that does not parse: ${reasonOf(error)}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause: error });
  }
}

function parseKey(file: string, text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    // What OpenSSL calls this differs from version to version.
    const got = text.includes("ENCRYPTED") ? "an encrypted one" : "none that parses";
    throw new EmbedError(
      "CONFIG_INVALID",
      `--tls-key: expected a PEM private key that is not encrypted in ${file}, got ${got}`,
      { cause: error },
    );
  }
}

async function readText(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const message = `${flag}: expected a readable file, got ${file}: ${reasonOf(error)}`;
    throw new EmbedError("CONFIG_INVALID", message, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.message;
}
