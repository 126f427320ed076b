import { type ClientHttp2Session, connect } from "node:http2";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

/** A request as gRPC sends it: a flag, its length in four bytes, the message. */
export function frameOf<Input extends DescMessage>(schema: Input, message: MessageInitShape<Input>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  const frame = Buffer.alloc(5 + bytes.length);
  frame.writeUInt32BE(bytes.length, 1);
  frame.set(bytes, 5);
  return frame;
}

/**
 * Calls of one method over gRPC on one connection, made at the first call and again after it was lost. It costs the
 * processor as little as it can, since callers work on the cores of the server that they measure: requests are encoded
 * beforehand, and often sent again.
 * @throws Error of a call that gets no connection or another status than 0
 */
export function createUnaryCall<Input extends DescMessage, Output extends DescMessage>(
  address: string,
  { parent, name, output }: DescMethodUnary<Input, Output>,
): (frame: Buffer) => Promise<MessageShape<Output>> {
  let session: ClientHttp2Session | undefined;
  const headers = {
    ":method": "POST",
    ":path": `/${parent.typeName}/${name}`,
    "content-type": "application/grpc",
    te: "trailers",
  };
  function connection(): ClientHttp2Session {
    if (!session || session.closed || session.destroyed) {
      session = connect(`http://${address}`);
      // Each of its streams tells of it.
      session.on("error", () => undefined);
    }
    return session;
  }
  return (frame) =>
    new Promise((resolve, reject) => {
      const stream = connection().request(headers);
      const chunks: Buffer[] = [];
      let status: unknown;
      stream.on("response", (head) => {
        status = head["grpc-status"];
      });
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"];
      });
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("close", () => {
        if (status !== "0") reject(new Error(`${name}: expected the gRPC status 0, got ${status}`));
        else resolve(fromBinary(output, Buffer.concat(chunks).subarray(5)));
      });
      stream.end(frame);
    });
}
