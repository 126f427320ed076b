import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { broken, type OperatorClient, type RpcBroken, type RpcError, textOf } from "./operator-client.ts";
import { codeFromNumber } from "./rpc-code.ts";
import { parseStatusDetails } from "./status-details.ts";

/** gRPC over h2c with @grpc/grpc-js and protobuf-es messages. `authority` is host:port. */
export function createGrpcClient(authority: string): OperatorClient {
  const client = new Client(authority, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    // Each runner opens its own connection: a specification may start and stop many servers on one port.
    "grpc.use_local_subchannel_pool": 1,
  });
  return {
    call: ({ service, method, input, output, request, timeoutMs }) =>
      new Promise((resolve) => {
        client.makeUnaryRequest(
          `/${service}/${method}`,
          (message) => Buffer.from(toBinary(input, message)),
          (bytes) => fromBinary(output, bytes),
          request,
          new Metadata(),
          { deadline: Date.now() + timeoutMs },
          (error, reply) => {
            if (error) resolve(errorToOutcome(error));
            else if (reply === undefined) resolve(broken("status OK without a message"));
            else resolve({ kind: "reply", reply });
          },
        );
      }),
    close: async () => client.close(),
  };
}

/** gRPC's C core, which most clients are built on, refuses trailers above this by default. */
const trailersMaxBytes = 8 * 2 ** 10;

function errorToOutcome(error: ServiceError): RpcError | RpcBroken {
  const code = codeFromNumber(error.code);
  if (code === undefined) return broken(`gRPC status ${error.code} (${error.details}) is none of gRPC's`);
  const trailers = error.metadata?.get("grpc-status-details-bin") ?? [];
  const details = trailers.filter((value) => typeof value !== "string");
  const bytes = details.reduce((sum, value) => sum + value.length, error.details.length);
  if (bytes > trailersMaxBytes) {
    return broken(
      `message and details of the error take ${bytes} bytes, most clients refuse more than ${trailersMaxBytes}`,
    );
  }
  try {
    return {
      kind: "error",
      code,
      message: error.details,
      details: details.flatMap((bytes) => parseStatusDetails(bytes, code)),
    };
  } catch (cause) {
    return broken(`grpc-status-details-bin cannot be read: ${textOf(cause)}`);
  }
}
