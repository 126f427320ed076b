import { existsSync } from "node:fs";
import { relative } from "node:path";
import { packageFile } from "../node/package-file.ts";

/**
 * A shell line that embeds a photograph of the fixtures through a running server, for the folder in which
 * Portico was started; nothing where buf is not installed, as in the container. The request goes through a
 * pipe, because a photograph is too long for an argument.
 */
export function tryItLine(url: string, buf = packageFile("node_modules/.bin/buf")): string | undefined {
  if (!existsSync(buf)) return undefined;
  const photo = shellPath(packageFile("fixtures/images/photo/locomotion-house-cat.jpg"));
  const schema = shellPath(packageFile("proto"));
  return (
    `(printf '{"datas":["'; base64 < ${photo} | tr -d '\\n'; printf '"]}') | ` +
    `npx buf curl --schema ${schema} --protocol grpc --http2-prior-knowledge -d @- ${url}/omnisearch.Operator/Execute`
  );
}

/** As a shell in the folder of this process reads it. */
function shellPath(path: string): string {
  const near = relative(process.cwd(), path);
  return /^[\w./-]+$/.test(near) ? near : `'${near.replaceAll("'", "'\\''")}'`;
}
