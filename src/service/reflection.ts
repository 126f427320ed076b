import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ServerReflection } from "../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_portico_v1_errors } from "../gen/portico/v1/errors_pb.ts";
import { createReflectionIndex, type ReflectionIndex, withImports } from "./reflection-index.ts";

/**
 * Adds `grpc.reflection.v1` and `v1alpha`, which are the same but for their name: older clients know only
 * the second. They list the services that are on the router by then, and themselves. The files known are
 * those of the services and of error details, with all their imports.
 */
export function addReflection(router: ConnectRouter): void {
  const routed = router.handlers.map(({ service }) => service);
  const services = [...new Set([...routed, ServerReflection, ServerReflectionAlpha])];
  const names = services.map(({ typeName }) => typeName).sort();
  const index = createReflectionIndex([...services.map(({ file }) => file), file_portico_v1_errors]);

  async function* answerAll<Request extends Question>(requests: AsyncIterable<Request>) {
    for await (const request of requests) {
      const messageResponse = answer(request.messageRequest, index, names);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }
  router.service(ServerReflection, { serverReflectionInfo: answerAll });
  router.service(ServerReflectionAlpha, { serverReflectionInfo: answerAll });
}

/** A request of either version. */
interface Question {
  readonly host: string;
  readonly messageRequest:
    | {
        readonly case:
          | "listServices"
          | "fileByFilename"
          | "fileContainingSymbol"
          | "allExtensionNumbersOfType";
        readonly value: string;
      }
    | {
        readonly case: "fileContainingExtension";
        readonly value: { readonly containingType: string; readonly extensionNumber: number };
      }
    | { readonly case: undefined };
}

function answer(question: Question["messageRequest"], index: ReflectionIndex, services: readonly string[]) {
  switch (question.case) {
    case "listServices":
      return {
        case: "listServicesResponse",
        value: { service: services.map((name) => ({ name })) },
      } as const;
    case "fileByFilename":
      return files(index.fileByName(question.value), `file "${question.value}"`);
    case "fileContainingSymbol":
      return files(index.fileBySymbol(question.value), `symbol "${question.value}"`);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileByExtension(containingType, extensionNumber);
      return files(file, `extension ${extensionNumber} of "${containingType}"`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = index.extensionNumbers(question.value);
      if (!extensionNumber) return notFound(`message "${question.value}"`);
      const value = { baseTypeName: question.value, extensionNumber };
      return { case: "allExtensionNumbersResponse", value } as const;
    }
    case undefined:
      return failure(Code.InvalidArgument, "expected a question in message_request, got none");
  }
}

/** The file and all its imports: a client can build it without asking again. */
function files(file: DescFile | undefined, wanted: string) {
  if (!file) return notFound(wanted);
  const fileDescriptorProto = withImports(file).map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } } as const;
}

function notFound(wanted: string) {
  return failure(Code.NotFound, `this server does not know the ${wanted}`);
}

/** gRPC's codes and Connect's have the same numbers. */
function failure(code: Code, message: string) {
  return { case: "errorResponse", value: { errorCode: code, errorMessage: message } } as const;
}
