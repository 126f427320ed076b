import type { Command } from "commander";
import { EmbedError } from "../errors.ts";
import type { TlsFiles } from "../node/access/tls-files.ts";
import { filePath } from "./common-options.ts";

/** Options of a server about TLS on its port. */
export interface TlsOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
}

export function addTlsOptions(command: Command): Command {
  return command
    .option(
      "--tls-cert <file>",
      "PEM certificate and its chain: the port speaks TLS 1.2 or 1.3; read again when it changes",
      filePath,
    )
    .option("--tls-key <file>", "PEM private key of --tls-cert, not encrypted", filePath)
    .option(
      "--tls-client-ca <file>",
      "PEM authorities: a client must show a certificate that one of them signed",
      filePath,
    );
}

/**
 * The files that the options name, or nothing without any of them.
 * @throws EmbedError `CONFIG_INVALID`: some are missing
 */
export function toTlsFiles({ tlsCert, tlsKey, tlsClientCa }: TlsOptions): TlsFiles | undefined {
  if (tlsCert !== undefined && tlsKey !== undefined) {
    return {
      certFile: tlsCert,
      keyFile: tlsKey,
      ...(tlsClientCa !== undefined && { clientCaFile: tlsClientCa }),
    };
  }
  const given = Object.entries({
    "--tls-cert": tlsCert,
    "--tls-key": tlsKey,
    "--tls-client-ca": tlsClientCa,
  }).flatMap(([flag, file]) => (file === undefined ? [] : [flag]));
  if (given.length === 0) return undefined;
  throw new EmbedError(
    "CONFIG_INVALID",
    `expected both --tls-cert and --tls-key for TLS, got only ${given.join(" and ")}`,
  );
}
