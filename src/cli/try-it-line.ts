import { relative } from "node:path";
import { packageFile } from "../node/package-file.ts";

/**
 * A shell line that embeds a photograph of the fixtures through a running server. The request goes through
 * a pipe, because a photograph is too long for an argument.
 */
export function tryItLine(url: string): string {
  const photo = relative(process.cwd(), packageFile("fixtures/images/photo/locomotion-house-cat.jpg"));
  const schema = relative(process.cwd(), packageFile("proto"));
  return (
    `(printf '{"datas":["'; base64 < ${photo} | tr -d '\\n'; printf '"]}') | ` +
    `npx buf curl --schema ${schema} --protocol grpc --http2-prior-knowledge -d @- ${url}/omnisearch.Operator/Execute`
  );
}
