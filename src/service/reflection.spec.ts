import { execFileSync } from "node:child_process";
import { create, createFileRegistry, type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { file_grpc_health_v1_health } from "../gen/grpc/health/v1/health_pb.ts";
import {
  file_grpc_reflection_v1_reflection,
  ServerReflection,
  type ServerReflectionRequest,
} from "../gen/grpc/reflection/v1/reflection_pb.ts";
import {
  file_grpc_reflection_v1alpha_reflection,
  ServerReflection as ServerReflectionAlpha,
} from "../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_omnisearch_operator, Operator } from "../gen/omnisearch/operator_pb.ts";
import { file_portico_v1_errors } from "../gen/portico/v1/errors_pb.ts";
import { addReflection } from "./reflection.ts";
import { createReflectionIndex } from "./reflection-index.ts";

const transport = createRouterTransport((router) => {
  router.service(Operator, {});
  addReflection(router);
});

type Question = Omit<ServerReflectionRequest["messageRequest"], "value"> & { value?: unknown };

/** Asks both versions, which must say the same. */
async function ask(...questions: Question[]) {
  const requests = questions.map(
    (messageRequest) => ({ host: "here", messageRequest }) as ServerReflectionRequest,
  );
  async function* send() {
    yield* requests;
  }
  const answers = [];
  for (const service of [ServerReflection, ServerReflectionAlpha]) {
    const client = createClient(service as typeof ServerReflection, transport);
    const got = [];
    for await (const { validHost, originalRequest, messageResponse } of client.serverReflectionInfo(send())) {
      expect(validHost).toBe("here");
      expect(originalRequest?.messageRequest).toMatchObject(requests[got.length]?.messageRequest ?? {});
      got.push(messageResponse);
    }
    answers.push(got);
  }
  const [v1 = [], v1alpha = []] = answers;
  const withoutTypeNames = (value: unknown) =>
    JSON.stringify(value, (key, inner) => (key === "$typeName" ? undefined : inner));
  expect(withoutTypeNames(v1alpha)).toBe(withoutTypeNames(v1));
  return v1;
}

async function filesOf(kind: "fileByFilename" | "fileContainingSymbol", value: string): Promise<string[]> {
  const [answer] = await ask({ case: kind, value });
  if (answer?.case !== "fileDescriptorResponse") return [JSON.stringify(answer)];
  return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

test("lists the services of the router and itself", async () => {
  const [answer] = await ask({ case: "listServices", value: "" });
  expect(answer?.case === "listServicesResponse" && answer.value.service.map(({ name }) => name)).toEqual([
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "omnisearch.Operator",
  ]);
});

test.each([
  ["fileByFilename", "omnisearch/operator.proto", "omnisearch/operator.proto"],
  ["fileByFilename", "portico/v1/errors.proto", "portico/v1/errors.proto"],
  ["fileContainingSymbol", "omnisearch.Operator", "omnisearch/operator.proto"],
  ["fileContainingSymbol", "omnisearch.Operator.Execute", "omnisearch/operator.proto"],
  ["fileContainingSymbol", "omnisearch.ExecuteRequest", "omnisearch/operator.proto"],
  ["fileContainingSymbol", "omnisearch.IdentityReply.metricType", "omnisearch/operator.proto"],
  ["fileContainingSymbol", "portico.v1.BatchFailure", "portico/v1/errors.proto"],
  [
    "fileContainingSymbol",
    "grpc.reflection.v1.ServerReflectionRequest.message_request",
    "grpc/reflection/v1/reflection.proto",
  ],
] as const)("%s %s", async (kind, value, file) => {
  expect(await filesOf(kind, value)).toEqual([file]);
});

const notFound = (errorMessage: string) => ({ case: "errorResponse", value: { errorCode: 5, errorMessage } });

test.each<[Question, unknown]>([
  [{ case: "fileByFilename", value: "no.proto" }, notFound('this server does not know the file "no.proto"')],
  [
    { case: "fileContainingSymbol", value: "no.Such" },
    notFound('this server does not know the symbol "no.Such"'),
  ],
  [
    { case: "fileContainingExtension", value: { containingType: "omnisearch.Vector", extensionNumber: 100 } },
    notFound('this server does not know the extension 100 of "omnisearch.Vector"'),
  ],
  [
    { case: "allExtensionNumbersOfType", value: "no.Such" },
    notFound('this server does not know the message "no.Such"'),
  ],
  [
    { case: "allExtensionNumbersOfType", value: "omnisearch.Vector" },
    {
      case: "allExtensionNumbersResponse",
      value: { baseTypeName: "omnisearch.Vector", extensionNumber: [] },
    },
  ],
  [
    { case: undefined },
    {
      case: "errorResponse",
      value: { errorCode: 3, errorMessage: "expected a question in message_request, got none" },
    },
  ],
])("%j", async (question, expected) => {
  const [answer] = await ask(question);
  expect(answer).toMatchObject(expected as object);
});

test("answers every question of a stream in order", async () => {
  const answers = await ask(
    { case: "fileByFilename", value: "no.proto" },
    { case: "listServices", value: "*" },
    { case: "fileContainingSymbol", value: "omnisearch.Operator" },
  );
  expect(answers.map((answer) => answer.case)).toEqual([
    "errorResponse",
    "listServicesResponse",
    "fileDescriptorResponse",
  ]);
});

describe("the index", () => {
  /** What our own files do not have: imports of imports, nested types, enums, extensions. */
  function build(): { file: DescFile; find: ReturnType<typeof createReflectionIndex> } {
    const text = (name: string, number: number) => ({ name, number, type: 9, label: 1 });
    const files: FileDescriptorProto[] = [
      create(FileDescriptorProtoSchema, { name: "c.proto", package: "c", syntax: "proto2" }),
      create(FileDescriptorProtoSchema, {
        name: "b.proto",
        package: "b",
        syntax: "proto2",
        dependency: ["c.proto"],
        messageType: [{ name: "Base", extensionRange: [{ start: 100, end: 200 }] }],
      }),
      create(FileDescriptorProtoSchema, {
        name: "a.proto",
        package: "a",
        syntax: "proto2",
        dependency: ["b.proto", "c.proto"],
        extension: [{ ...text("far", 150), extendee: ".b.Base" }],
        enumType: [{ name: "Kind", value: [{ name: "NONE", number: 0 }] }],
        messageType: [
          {
            name: "Outer",
            nestedType: [{ name: "Inner", field: [text("leaf", 1)] }],
            enumType: [{ name: "State", value: [{ name: "OFF", number: 0 }] }],
            extension: [{ ...text("near", 100), extendee: ".b.Base" }],
          },
        ],
      }),
    ];
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }));
    const file = registry.getFile("a.proto");
    if (!file) throw new Error("a.proto was not built");
    return { file, find: createReflectionIndex([file]) };
  }

  test.each([
    "a.Kind",
    "a.NONE",
    "a.Outer.Inner",
    "a.Outer.Inner.leaf",
    "a.Outer.State",
    "a.Outer.OFF",
    "a.Outer.near",
    "a.far",
  ])("knows the symbol %s", (symbol) => {
    const { file, find } = build();
    expect(find.fileBySymbol(symbol)).toBe(file);
  });

  test("does not know an enum value inside its enum", () => {
    expect(build().find.fileBySymbol("a.Kind.NONE")).toBeUndefined();
  });

  test("knows extensions by message and number", () => {
    const { file, find } = build();
    expect(find.extensionNumbers("b.Base")).toEqual([100, 150]);
    expect(find.fileByExtension("b.Base", 100)).toBe(file);
    expect(find.fileByExtension("b.Base", 101)).toBeUndefined();
  });

  test("knows files that are only imported", () => {
    const { find } = build();
    expect(find.fileByName("c.proto")?.proto.name).toBe("c.proto");
    expect(find.fileBySymbol("b.Base")?.proto.name).toBe("b.proto");
  });
});

test("generated descriptors are whole: the same as buf builds from proto/", () => {
  const image = execFileSync("node_modules/.bin/buf", [
    "build",
    "proto",
    "--as-file-descriptor-set",
    "-o",
    "-",
  ]);
  const built = fromBinary(FileDescriptorSetSchema, image).file;
  const ours = [
    file_grpc_health_v1_health,
    file_grpc_reflection_v1_reflection,
    file_grpc_reflection_v1alpha_reflection,
    file_omnisearch_operator,
    file_portico_v1_errors,
  ];
  for (const { proto } of ours) {
    const wanted = built.find(({ name }) => name === proto.name);
    if (!wanted) throw new Error(`buf built no ${proto.name}`);
    // Comments are the only thing left out.
    delete wanted.sourceCodeInfo;
    expect(Buffer.from(toBinary(FileDescriptorProtoSchema, proto)).toString("base64")).toBe(
      Buffer.from(toBinary(FileDescriptorProtoSchema, wanted)).toString("base64"),
    );
  }
});
