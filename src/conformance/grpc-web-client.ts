import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { HttpPost, HttpReply } from "./http-post.ts";
import { broken, type OperatorClient, type RpcOutcome, textOf } from "./operator-client.ts";
import { codeFromHttpStatus, codeFromNumber } from "./rpc-code.ts";
import { parseStatusDetails } from "./status-details.ts";

const contentType = "application/grpc-web+proto";
const trailersFlag = 0x80;
const compressedFlag = 0x01;

/** gRPC-Web with binary messages (PROTOCOL-WEB.md of grpc/grpc). */
export function createGrpcWebClient(http: HttpPost): OperatorClient {
  return {
    async call({ service, method, input, output, request, timeoutMs }) {
      const headers = {
        "content-type": contentType,
        accept: contentType,
        "x-grpc-web": "1",
        "grpc-timeout": `${timeoutMs}m`,
      };
      try {
        const body = writeFrame(toBinary(input, request));
        const signal = AbortSignal.timeout(timeoutMs);
        return readReply(await http.post(`/${service}/${method}`, headers, body, signal), output);
      } catch (error) {
        return broken(textOf(error));
      }
    },
    close: () => http.close(),
  };
}

/** One data frame: a flag byte, the length as four bytes (big endian), the message. */
function writeFrame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(5 + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, 5);
  return frame;
}

interface Frame {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** @throws Error if the body ends inside a frame or holds a compressed one, which was not asked for */
function readFrames(body: Uint8Array): readonly Frame[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const frames: Frame[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + 5 > body.length) throw new Error(`the body ends inside a frame header, at byte ${at}`);
    const flags = view.getUint8(at);
    const end = at + 5 + view.getUint32(at + 1);
    if (end > body.length)
      throw new Error(`a frame claims to end at byte ${end}, the body has ${body.length}`);
    if (flags & compressedFlag) throw new Error("a frame is compressed though no compression was offered");
    frames.push({ flags, bytes: body.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}

/** The trailers frame holds HTTP/1.1 header lines; names are taken in lower case. */
function parseTrailers(bytes: Uint8Array): ReadonlyMap<string, string> {
  const lines = new TextDecoder().decode(bytes).split("\r\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      if (colon < 1) throw new Error(`"${line}" is not a trailer`);
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

function readReply<O extends DescMessage>(response: HttpReply, output: O): RpcOutcome<O> {
  const type = response.headers.get("content-type") ?? "";
  if (response.status !== 200 && !response.headers.has("grpc-status")) {
    const text = new TextDecoder().decode(response.body);
    return { kind: "error", code: codeFromHttpStatus(response.status), message: text, details: [] };
  }
  if (!type.startsWith("application/grpc-web")) return broken(`expected ${contentType}, got "${type}"`);
  const frames = readFrames(response.body);
  const messages = frames.filter(({ flags }) => (flags & trailersFlag) === 0);
  const last = frames.at(-1);
  // An answer without a body carries its status in the headers ("trailers-only").
  const trailers = last && last.flags & trailersFlag ? parseTrailers(last.bytes) : response.headers;
  const status = trailers.get("grpc-status");
  if (status === undefined) return broken("no grpc-status, neither in a trailers frame nor in the headers");
  if (status === "0") {
    if (messages.length !== 1) return broken(`expected one message, got ${messages.length}`);
    return { kind: "reply", reply: fromBinary(output, messages[0]!.bytes) };
  }
  const code = codeFromNumber(Number(status));
  if (code === undefined) return broken(`grpc-status "${status}" is none of gRPC's`);
  const detailsText = trailers.get("grpc-status-details-bin");
  return {
    kind: "error",
    code,
    message: decodeURIComponent(trailers.get("grpc-message") ?? ""),
    details: detailsText === undefined ? [] : parseStatusDetails(Buffer.from(detailsText, "base64"), code),
  };
}
