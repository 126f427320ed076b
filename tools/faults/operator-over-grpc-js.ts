import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import {
  ExecuteReplySchema,
  ExecuteRequestSchema,
  IdentityReplySchema,
  IdentityRequestSchema,
  Operator,
} from "../../src/gen/omnisearch/operator_pb.ts";

/** An independent client of `omnisearch.Operator`, with a connection of its own; shaped as Connect's are. */
export function operatorOverGrpcJs(address: string) {
  const client = new Client(address, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.use_local_subchannel_pool": 1,
  });

  function call<I extends DescMessage, O extends DescMessage>(
    method: string,
    input: I,
    output: O,
    request: MessageShape<I>,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `/${Operator.typeName}/${method}`,
        (message: MessageShape<I>) => Buffer.from(toBinary(input, message)),
        (bytes) => fromBinary(output, bytes),
        request,
        new Metadata(),
        {},
        (error, reply) => {
          if (error) reject(new ConnectError(error.details, error.code as number));
          else resolve(reply as MessageShape<O>);
        },
      );
    });
  }

  return {
    execute: (request: { datas?: string[]; urls?: string[] }) =>
      call("Execute", ExecuteRequestSchema, ExecuteReplySchema, create(ExecuteRequestSchema, request)),
    identity: (_request: Record<string, never>) =>
      call("Identity", IdentityRequestSchema, IdentityReplySchema, create(IdentityRequestSchema)),
    close: () => client.close(),
  };
}
