/** An exported function that is to trap, and the number of its parameter that points at what it reads. */
export type KernelTraps = Readonly<Record<string, number>>;

/**
 * Kernels that trap where the first value that they read is `value`, and otherwise do what they did: the beginning
 * of each named function is preceded by a comparison and `unreachable` (WebAssembly Core Specification, chapter 5).
 * @param bytes a module that imports no functions
 * @throws Error if it exports no such function
 */
export function trapKernels(bytes: Uint8Array, traps: KernelTraps, value: number): Uint8Array<ArrayBuffer> {
  const sections = readSections(bytes);
  const exported = readExports(sections.get(exportSection)!);
  const prefixes = new Map(
    Object.entries(traps).map(([name, parameter]) => {
      const index = exported.get(name);
      if (index === undefined) throw new Error(`the kernels export no ${name}`);
      return [index, trapIfFirstIs(parameter, value)];
    }),
  );
  const code = rewriteBodies(sections.get(codeSection)!, prefixes);
  const parts = [...sections].map(([id, content]) => vector(id, id === codeSection ? code : content));
  return new Uint8Array(Buffer.concat([bytes.subarray(0, 8), ...parts]));
}

const [exportSection, codeSection] = [7, 10];
const functionKind = 0;

/** By their numbers, of which each comes once; custom sections (0) say nothing about the code. */
function readSections(bytes: Uint8Array): Map<number, Uint8Array> {
  const sections = new Map<number, Uint8Array>();
  const reader = createReader(bytes, 8);
  while (!reader.isAtEnd()) {
    const id = reader.byte();
    const content = reader.bytes(reader.number());
    if (id !== 0) sections.set(id, content);
  }
  return sections;
}

/** The number of each exported function. */
function readExports(section: Uint8Array): Map<string, number> {
  const reader = createReader(section);
  const functions = new Map<string, number>();
  for (let left = reader.number(); left > 0; left--) {
    const name = Buffer.from(reader.bytes(reader.number())).toString();
    const kind = reader.byte();
    const index = reader.number();
    if (kind === functionKind) functions.set(name, index);
  }
  return functions;
}

function rewriteBodies(section: Uint8Array, prefixes: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const reader = createReader(section);
  const count = reader.number();
  const bodies = Array.from({ length: count }, (_, index) => {
    const body = reader.bytes(reader.number());
    const prefix = prefixes.get(index);
    if (!prefix) return vector(undefined, body);
    const locals = createReader(body);
    for (let left = locals.number(); left > 0; left--) {
      locals.number();
      locals.byte();
    }
    const at = locals.position();
    return vector(undefined, Buffer.concat([body.subarray(0, at), prefix, body.subarray(at)]));
  });
  return Buffer.concat([leb128(count), ...bodies]);
}

/** `if (load<f32>(parameter) == value) unreachable` */
function trapIfFirstIs(parameter: number, value: number): Uint8Array {
  const constant = Buffer.alloc(4);
  constant.writeFloatLE(value);
  const [localGet, f32Load, f32Const, f32Eq, branchIf, noResult, unreachable, end] = [
    0x20, 0x2a, 0x43, 0x5b, 0x04, 0x40, 0x00, 0x0b,
  ] as const;
  return Buffer.from([
    ...[localGet, parameter, f32Load, 2, 0, f32Const, ...constant, f32Eq],
    ...[branchIf, noResult, unreachable, end],
  ]);
}

function vector(id: number | undefined, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(id === undefined ? [] : [id]), leb128(content.length), content]);
}

function leb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Uint8Array.from([...bytes, rest]);
}

function createReader(bytes: Uint8Array, start = 0) {
  let at = start;
  const byte = () => bytes[at++]!;
  return {
    byte,
    number() {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        const next = byte();
        value |= (next & 127) << shift;
        if (next < 128) return value;
      }
    },
    bytes(count: number) {
      at += count;
      return bytes.subarray(at - count, at);
    },
    position: () => at,
    isAtEnd: () => at >= bytes.length,
  };
}
