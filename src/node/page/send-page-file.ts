import type { ServerResponse } from "node:http";
import { addVary } from "../http/add-vary.ts";
import type { HttpRequest, HttpResponse } from "../http/http-types.ts";
import { chooseEncoding, type PageEncoding } from "./choose-encoding.ts";
import type { PageBody } from "./page-body.ts";
import { encodingsOf, type PageFile } from "./page-files.ts";

/**
 * Answers GET or HEAD with a file, or with 304 where the client has it. Ends when the client has all of it or has left;
 * a client that does not read is cut off by the port (`replyStallTimeoutMs`).
 * @param headers on every answer
 */
export async function sendPageFile(
  request: HttpRequest,
  response: HttpResponse,
  file: PageFile,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  // The two classes have the same methods, but their overloads do not unite.
  const either = response as ServerResponse;
  for (const [name, value] of Object.entries(headers)) either.setHeader(name, value);
  either.setHeader("etag", file.etag);
  either.setHeader("cache-control", file.cacheControl);
  if (file.encoded.size > 0) addVary(either, "accept-encoding");
  if (hasEtag(request.headers["if-none-match"], file.etag)) {
    either.statusCode = 304;
    either.end();
    return;
  }
  const { encoding, body } = chooseBody(request, file);
  if (encoding) either.setHeader("content-encoding", encoding);
  either.setHeader("content-type", file.contentType);
  if (body.bytes !== undefined) either.setHeader("content-length", body.bytes);
  either.statusCode = 200;
  if (request.method === "HEAD") either.end();
  else await sendBody(body, response);
}

/** The file in the best form that the client takes. */
export function chooseBody(
  { headers }: HttpRequest,
  file: PageFile,
): { readonly encoding: PageEncoding | undefined; readonly body: PageBody } {
  const accepted = headers["accept-encoding"];
  const encoding = chooseEncoding(Array.isArray(accepted) ? accepted.join() : accepted, encodingsOf(file));
  return { encoding, body: (encoding && file.encoded.get(encoding)) ?? file.body };
}

async function sendBody(body: PageBody, response: HttpResponse): Promise<void> {
  const either = response as ServerResponse;
  for await (const piece of body.pieces()) {
    if (hasLeft(response)) return;
    if (!either.write(piece)) await drained(response);
  }
  either.end();
}

/** When the client has taken what was written, or has left. */
function drained(response: HttpResponse): Promise<void> {
  if (hasLeft(response)) return Promise.resolve();
  const either = response as ServerResponse;
  return new Promise((resolve) => {
    const done = () => {
      either.off("drain", done);
      either.off("close", done);
      resolve();
    };
    either.on("drain", done);
    either.on("close", done);
  });
}

/** What is written to a stream that is closed is never drained. */
function hasLeft(response: HttpResponse): boolean {
  if (!("stream" in response)) return response.destroyed;
  return response.stream.closed || response.stream.destroyed;
}

/** RFC 9110, section 13.1.2: compared weakly, so that W/ does not count. */
function hasEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const plain = (text: string) => text.trim().replace(/^W\//, "");
  return ifNoneMatch.split(",").some((candidate) => plain(candidate) === plain(etag));
}
