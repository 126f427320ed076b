import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { ExecuteReplySchema, IdentityReplySchema } from "../../src/gen/omnisearch/operator_pb.ts";
import { files, type Parts } from "./honest-operator.ts";

/** Signature and IHDR of a PNG: all that the runner looks at. */
const pngHeadBytes = 33;

/**
 * The honest operator as a processor that stands for `preview`: of each picture it makes the head of a PNG of 224 x 224 with
 * the picture's hash behind it, so that no two pictures give the same.
 */
export function processorParts(encoder: Parts): Parts {
  const head = files.image("png/rgb-224x224.png").subarray(0, pngHeadBytes);
  return {
    ...encoder,
    identity: () =>
      create(IdentityReplySchema, {
        ...{ name: "preview", endpoint: "127.0.0.1:52001", type: "processor" },
        ...{ input: "image", output: "images", dimension: "-1", metricType: "-1" },
      }),
    embed(bytes) {
      // It throws for what is no good picture.
      encoder.embed(bytes);
      return [...head, ...createHash("sha256").update(bytes).digest()];
    },
    reply: (pictures) =>
      create(ExecuteReplySchema, {
        nums: BigInt(pictures.length),
        metadata: pictures.map((bytes) => ({
          data: new Uint8Array(Buffer.from(Buffer.from(bytes).toString("base64"))),
        })),
      }),
  };
}
