import { createClient, type Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import { Operator } from "../../src/gen/omnisearch/operator_pb.ts";
import { EmbeddingService, VectorEncoding } from "../../src/gen/portico/v1/embedding_pb.ts";
import { readTinyPictures } from "./tiny-model.ts";

/** Vectors that were compared, and what was wrong with any. */
export interface CheckedCounts {
  vectors: number;
  readonly wrong: string[];
}

export interface CheckingClient {
  /** The pictures in base64, for other clients. */
  readonly datas: readonly string[];
  /** Calls until told to stop, one call at a time, by Execute and Embed in turn. */
  run(shouldStop: () => boolean): Promise<CheckedCounts>;
}

/**
 * Learns the vector of each picture alone, holds it against tf_keras's, and then compares every vector of
 * batches of different pictures with it, bit for bit: one that is shifted, torn or mixed up shows.
 * @param transport by default gRPC
 */
export async function createCheckingClient(
  url: string,
  transport: Transport = createGrpcTransport({ baseUrl: url }),
): Promise<CheckingClient> {
  const operator = createClient(Operator, transport);
  const embedding = createClient(EmbeddingService, transport);
  const pictures = await readTinyPictures();
  const datas = pictures.map(({ bytes }) => Buffer.from(bytes).toString("base64"));
  const expected: string[] = [];
  for (const [index, picture] of pictures.entries()) {
    const { vectors } = await operator.execute({ datas: [datas[index]!] });
    const vector = Float32Array.from(vectors[0]!.element);
    const { maxAbsError } = compareVectors(vector, picture.vector);
    if (!(maxAbsError <= picture.tolerance)) {
      throw new Error(`${picture.name}: expected tf_keras's vector, got an error of ${maxAbsError}`);
    }
    expected.push(bitsOf(vector));
  }
  if (new Set(expected).size !== expected.length)
    throw new Error("expected a vector of its own for each picture");

  async function vectorsOf(order: readonly number[], round: number): Promise<string[]> {
    if (round % 2 === 0) {
      const { vectors } = await operator.execute({ datas: order.map((index) => datas[index]!) });
      return vectors.map(({ element }) => bitsOf(Float32Array.from(element)));
    }
    const { results } = await embedding.embed({
      images: order.map((index) => ({ source: { case: "data", value: pictures[index]!.bytes } })),
      vectorEncoding: VectorEncoding.BYTES,
    });
    return results.map(({ outcome }) =>
      outcome.case === "embedding"
        ? Buffer.from(outcome.value.vectorBytes).toString("hex")
        : String(outcome.case),
    );
  }

  return {
    datas,
    async run(shouldStop) {
      const counts: CheckedCounts = { vectors: 0, wrong: [] };
      for (let round = 0; !shouldStop(); round++) {
        // Another order, and another number of pictures, each time.
        const order = Array.from(
          { length: 1 + (round % 5) },
          (_, place) => (round * 3 + place * place) % pictures.length,
        );
        const got = await vectorsOf(order, round);
        if (got.length !== order.length) counts.wrong.push(`${order.length} pictures, ${got.length} vectors`);
        for (const [place, bits] of got.entries()) {
          counts.vectors += 1;
          const index = order[place]!;
          if (bits !== expected[index])
            counts.wrong.push(`${pictures[index]!.name} at ${place} of round ${round}`);
        }
      }
      return counts;
    },
  };
}

function bitsOf(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("hex");
}
