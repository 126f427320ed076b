import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import {
  EmbeddingService,
  EmbedRequestSchema,
  type EmbedResponse,
  EmbedResponseSchema,
} from "../../src/gen/portico/v1/embedding_pb.ts";

/** An independent client of `portico.v1.EmbeddingService`, with a connection of its own; shaped as Connect's are. */
export function embeddingOverGrpcJs(address: string) {
  const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  return {
    embed: (request: MessageInitShape<typeof EmbedRequestSchema>, options: { timeoutMs?: number } = {}) =>
      new Promise<EmbedResponse>((resolve, reject) => {
        client.makeUnaryRequest(
          `/${EmbeddingService.typeName}/Embed`,
          (bytes: Uint8Array) => Buffer.from(bytes),
          (bytes) => fromBinary(EmbedResponseSchema, bytes),
          toBinary(EmbedRequestSchema, create(EmbedRequestSchema, request)),
          new Metadata(),
          options.timeoutMs === undefined ? {} : { deadline: Date.now() + options.timeoutMs },
          (error, reply) => {
            if (error) reject(new ConnectError(error.details, error.code as number));
            else resolve(reply as EmbedResponse);
          },
        );
      }),
    close: () => client.close(),
  };
}
