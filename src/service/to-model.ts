import type { MessageInitShape } from "@bufbuild/protobuf";
import { type ModelSchema, ModelState } from "../gen/portico/v1/embedding_pb.ts";
import type { ServedModel, ModelState as StateName } from "./served-model.ts";

const states = {
  unloaded: ModelState.UNLOADED,
  loading: ModelState.LOADING,
  loaded: ModelState.LOADED,
  failed: ModelState.FAILED,
} as const satisfies Record<StateName, ModelState>;

/** A model as `ListModels` and `GetModel` describe it. */
export function toModel({
  manifest,
  embedder,
  engine,
  formats,
  limits,
  state,
}: ServedModel): MessageInitShape<typeof ModelSchema> {
  const { width, height, interpolation, mode } = manifest.preprocess;
  return {
    name: manifest.name,
    description: manifest.description,
    dimension: manifest.identity.dimension,
    metricType: manifest.identity.metricType,
    vectorSpace: manifest.fingerprint ?? "",
    engine: engine() ?? "",
    precision: manifest.precision,
    input: { width, height, interpolation, mode, formats: [...formats] },
    limits: {
      maxItems: limits.maxItems,
      maxImageBytes: BigInt(limits.maxImageBytes),
      maxPixels: BigInt(limits.maxPixels),
    },
    ready: embedder.isReady(),
    state: states[state()],
  };
}
