/** What jsquash's codecs hand out: (height, width, 4) uint8 RGBA. */
export interface RgbaImage {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** The part of an Emscripten module that decoding needs. */
interface DecoderModule {
  decode(bytes: Uint8Array, ...options: unknown[]): RgbaImage | null;
}

interface EmscriptenOptions {
  readonly noInitialRun: boolean;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
  readonly instantiateWasm: (
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance) => void,
  ) => WebAssembly.Exports;
}

/** The default export of a jsquash `codec/dec/*.js`. */
export type DecoderFactory = (options: EmscriptenOptions) => Promise<DecoderModule>;

export type DecodeRgba = (bytes: Uint8Array) => Promise<RgbaImage>;

/**
 * Wraps an Emscripten decoder. jsquash's own wrapper keeps a rejected start for ever, and a decoder that has
 * called `exit` is in no known state; so an instance that failed is dropped, and the next picture gets a
 * fresh one. What the decoder prints goes into the error instead of the console. The decoders hand out `ImageData`;
 * where the runtime has none, they define a plain one themselves.
 * @param options what `decode` is given after the bytes
 * @returns a function that throws an `Error` with the decoder's own words for whatever goes wrong
 */
export function createWasmCodec(
  factory: DecoderFactory,
  wasm: WebAssembly.Module,
  options: readonly unknown[] = [],
): DecodeRgba {
  let instance: DecoderModule | undefined;
  let printed: string[] = [];
  const print = (line: string) => {
    // A decoder may complain about every block; the first lines say it.
    if (printed.length < 4) printed.push(line);
  };
  const start = () =>
    factory({
      noInitialRun: true,
      print,
      printErr: print,
      instantiateWasm: (imports, receive) => {
        const created = new WebAssembly.Instance(wasm, imports);
        receive(created);
        return created.exports;
      },
    });

  return async (bytes) => {
    printed = [];
    try {
      instance ??= await start();
      const image = instance.decode(bytes, ...options);
      if (image) return image;
    } catch (error) {
      instance = undefined;
      throw new Error([String(error), ...printed].join("; "), { cause: error });
    }
    throw new Error(["the decoder gave no picture", ...printed].join("; "));
  };
}
