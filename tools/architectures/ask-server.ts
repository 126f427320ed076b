import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { readImage } from "../../fixtures/read-golden.ts";
import { EmbeddingService } from "../../src/gen/portico/v1/embedding_pb.ts";
import { startPortico } from "../start-portico.ts";

/** What a server gave that was told to stop in the middle of a call. */
export interface ServerAnswers {
  /** Base64 of the bits of each vector, by picture. */
  readonly vectors: ReadonlyMap<string, string>;
  readonly engine: string;
  /** How its process ended: 0 says that it had cut off no call. */
  readonly exitCode: number | null;
}

const pictures = [
  ...["photo/locomotion-house-cat.jpg", "photo/allium-oreophilum.jpg", "photo/black-canyon.jpg"],
  ...["webp/lossy.webp", "png/rgb-16x16.png", "gif/16-colours.gif"],
];

/**
 * Starts the built server in this Node and asks it over gRPC for the vectors of some pictures, in one stream. When the first
 * has come it gets SIGTERM: the others must come all the same, and then it must end.
 */
export async function askServer(node: readonly string[], args: readonly string[]): Promise<ServerAnswers> {
  const server = await startPortico({
    node,
    entry: "dist/cli/portico.js",
    args: ["--workers", "1", "--page", "off", "--item-timeout-ms", "300000", ...args],
  });
  try {
    const baseUrl = `http://${server.address}`;
    const client = createClient(EmbeddingService, createGrpcTransport({ baseUrl }));
    const { models } = await client.listModels({});
    const vectors = new Map<string, string>();
    let stopped: Promise<number | null> | undefined;
    for await (const { id, result } of client.embedStream(requests())) {
      if (result?.outcome.case !== "embedding") throw new Error(`${id}: ${result?.outcome.value?.message}`);
      vectors.set(id, Buffer.from(Float32Array.from(result.outcome.value.vector).buffer).toString("base64"));
      stopped ??= server.stop();
    }
    return { vectors, engine: models[0]?.engine ?? "", exitCode: (await stopped) ?? null };
  } finally {
    await server.stop("SIGKILL");
  }
}

async function* requests() {
  for (const id of pictures) {
    yield { id, image: { source: { case: "data" as const, value: readImage(id) } } };
  }
}
