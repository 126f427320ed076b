import { create } from "@bufbuild/protobuf";
import { EmbedError } from "../errors.ts";
import { type ExecuteRequest, ExecuteRequestSchema } from "../gen/omnisearch/operator_pb.ts";
import {
  Base64Alphabet,
  type DataItem,
  type Request,
  type UrlItem,
} from "../gen/portico/conformance/v1/suite_pb.ts";
import type { FixtureFiles } from "./fixture-files.ts";

/**
 * The Execute request that a case describes. `fixtureUrl` is where the fixture host listens, without a slash
 * at its end; empty if there is none.
 */
export function buildRequest(request: Request, files: FixtureFiles, fixtureUrl: string): ExecuteRequest {
  return create(ExecuteRequestSchema, {
    datas: request.datas.flatMap((item) => {
      const text = buildData(item, files);
      return Array.from({ length: Math.max(1, item.repeat) }, () => text);
    }),
    urls: request.urls.map((item) => buildUrl(item, fixtureUrl)),
  });
}

/** @throws EmbedError `CONFIG_INVALID` if a variant asked for would be no variant of this file */
export function buildData(item: DataItem, files: FixtureFiles): string {
  if (item.source.case !== "file") return item.prefix + (item.source.value ?? "");
  const path = item.source.value;
  let bytes = Buffer.from(files.image(path));
  if (item.truncateToBytes > 0) {
    if (item.truncateToBytes >= bytes.length)
      throw noVariant(path, `has only ${bytes.length} bytes to truncate`);
    bytes = bytes.subarray(0, item.truncateToBytes);
  }
  if (item.appendZeroBytes > 0) bytes = Buffer.concat([bytes, Buffer.alloc(item.appendZeroBytes)]);
  let text = bytes.toString("base64");
  if (item.alphabet === Base64Alphabet.URL_SAFE) {
    if (!/[+/]/.test(text)) throw noVariant(path, "is the same in both base64 alphabets");
    text = text.replaceAll("+", "-").replaceAll("/", "_");
  }
  if (item.omitPadding) {
    if (!text.endsWith("=")) throw noVariant(path, "has no base64 padding to omit");
    text = text.replace(/=+$/, "");
  }
  if (item.lineLength > 0) text = text.replaceAll(new RegExp(`.{${item.lineLength}}`, "g"), "$&\r\n ");
  return item.prefix + text;
}

function buildUrl({ source }: UrlItem, fixtureUrl: string): string {
  return source.case === "fixturePath" ? fixtureUrl + source.value : (source.value ?? "");
}

function noVariant(path: string, what: string): EmbedError {
  return new EmbedError("CONFIG_INVALID", `${path} ${what}: choose another file for this case`);
}
