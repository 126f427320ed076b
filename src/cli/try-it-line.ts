import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { relative } from "node:path";
import type { TlsFiles } from "../node/access/tls-files.ts";
import { packageFile } from "../node/package-file.ts";

export interface TryItOptions {
  /** Of a server with TLS. */
  readonly tls?: TlsFiles | undefined;
  /** Where buf is. */
  readonly buf?: string;
}

/**
 * A shell line that embeds a photograph of the fixtures through a running server, for the folder in which
 * Portico was started; nothing where buf is not installed, as in the container, or where TLS would refuse it:
 * a client certificate is asked for, or the server's does not name the host of `url`. The request goes through
 * a pipe, because a photograph is too long for an argument.
 */
export function tryItLine(url: string, options: TryItOptions = {}): string | undefined {
  const { tls, buf = packageFile("node_modules/.bin/buf") } = options;
  if (!existsSync(buf)) return undefined;
  if (tls && (tls.clientCaFile !== undefined || !isCertifiedFor(url, tls.certFile))) return undefined;
  const how = tls ? `--cacert ${shellPath(tls.certFile)}` : "--http2-prior-knowledge";
  const photo = shellPath(packageFile("fixtures/images/photo/locomotion-house-cat.jpg"));
  const schema = shellPath(packageFile("proto"));
  return (
    `(printf '{"datas":["'; base64 < ${photo} | tr -d '\\n'; printf '"]}') | ` +
    `npx buf curl --schema ${schema} --protocol grpc ${how} -d @- ${url}/omnisearch.Operator/Execute`
  );
}

function isCertifiedFor(url: string, certFile: string): boolean {
  const leaf = new X509Certificate(readFileSync(certFile));
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return (isIP(host) ? leaf.checkIP(host) : leaf.checkHost(host)) !== undefined;
}

/** As a shell in the folder of this process reads it. */
function shellPath(path: string): string {
  const near = relative(process.cwd(), path);
  return /^[\w./-]+$/.test(near) ? near : `'${near.replaceAll("'", "'\\''")}'`;
}
