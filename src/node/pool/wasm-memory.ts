/**
 * Counts the WebAssembly memory of this thread from now on: nothing else tells it. `process.memoryUsage()`
 * misses shared memory, which onnxruntime-web uses, and such memory never shrinks. Memories are seen where they
 * are made by `new WebAssembly.Memory`, and where `new WebAssembly.Instance` exports them, as jsquash's codecs
 * do. To be called before the runtimes start.
 * @returns gives the sum of all memories that are still in use, in bytes
 */
export function watchWasmMemory(): () => number {
  const { Memory, Instance } = WebAssembly;
  const known = new WeakSet<WebAssembly.Memory>();
  const memories = new Set<WeakRef<WebAssembly.Memory>>();

  function remember(memory: WebAssembly.Memory): void {
    if (known.has(memory)) return;
    known.add(memory);
    memories.add(new WeakRef(memory));
  }

  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      remember(this);
    }
  };
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports);
      for (const value of Object.values(this.exports)) if (value instanceof Memory) remember(value);
    }
  };

  return () => {
    let bytes = 0;
    for (const reference of memories) {
      const memory = reference.deref();
      if (memory) bytes += memory.buffer.byteLength;
      else memories.delete(reference);
    }
    return bytes;
  };
}
