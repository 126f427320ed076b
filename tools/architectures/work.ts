import { interpolations, type PreprocessSpec } from "../../src/preprocess/preprocess-spec.ts";

/** The engines of a CPU, each build of them by itself. */
export const engineBuilds = ["simd-relaxed", "simd-plain", "ort-wasm", "ort-native"] as const;
export type EngineBuild = (typeof engineBuilds)[number];

/** A model and what it is given, by each of these engines. */
export interface ModelRun {
  readonly name: string;
  /** Path of the ONNX file. */
  readonly onnx: string;
  /** A fixture, from bytes to the vector of norm 1, or a tensor: path of float32 bytes, and its batch. */
  readonly input:
    | { readonly picture: string; readonly preprocess: PreprocessSpec }
    | { readonly tensor: string; readonly batch: number };
  readonly engines: readonly EngineBuild[];
}

/** What each Node is to make. */
export interface Work {
  /** Fixtures to be decoded, under this cap; what is refused must be refused alike. */
  readonly pictures: readonly string[];
  readonly maxPixels: number;
  /** Whether resizing is tried with each filter in many sizes. */
  readonly filters: boolean;
  readonly runs: readonly ModelRun[];
}

/** What one Node made. Equal means equal bits. */
export interface Value {
  /** What kind of thing it is: the cases of the report are made of these. */
  readonly group: "pixels" | "filters" | EngineBuild;
  readonly name: string;
  /** Of all its bytes, or the words of the refusal. */
  readonly bits: string;
  /** Base64 of float32, of vectors only. */
  readonly floats?: string;
}

/** Every value that a Node is to make of a work, in its order. */
export function listAsked({ pictures, filters, runs }: Work): readonly Pick<Value, "group" | "name">[] {
  return [
    ...pictures.map((name) => ({ group: "pixels", name }) as const),
    ...(filters ? interpolations.map((name) => ({ group: "filters", name }) as const) : []),
    ...runs.flatMap(({ name, engines }) => engines.map((group) => ({ group, name }))),
  ];
}
