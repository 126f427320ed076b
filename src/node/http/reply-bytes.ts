import type { ServerResponse } from "node:http";
import type { HttpResponse } from "./http-types.ts";

type Chunk = Uint8Array | string;

/** Tells the length of each piece of the body, whoever writes it: a call, a page or a refusal. */
export function onReplyBytes(response: HttpResponse, onBytes: (bytes: number) => void): void {
  // The two classes have the same methods, but their overloads do not unite.
  const either = response as ServerResponse;
  const count = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) return;
    onBytes(byteLength(chunk, encoding));
  };
  const write = either.write.bind(either) as (...args: unknown[]) => boolean;
  either.write = (...args: unknown[]) => {
    count(args[0], args[1]);
    return write(...args);
  };
  // Of HTTP/2, `end` gives its piece to `write`.
  if ("stream" in response) return;
  const end = either.end.bind(either) as (...args: unknown[]) => ServerResponse;
  either.end = (...args: unknown[]) => {
    count(args[0], args[1]);
    return end(...args);
  };
}

function byteLength(chunk: Chunk, encoding: unknown): number {
  if (typeof chunk !== "string") return chunk.byteLength;
  return Buffer.byteLength(chunk, typeof encoding === "string" ? (encoding as BufferEncoding) : "utf8");
}
