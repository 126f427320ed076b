const pageBytes = 65_536;

/**
 * Caps each WebAssembly memory of this thread from now on: growing beyond `maxBytes` fails, as it does where the
 * machine has no more, and the module's own allocator then finds none; so does making a larger one. A module's memory
 * must be made or grow through JavaScript for that, as Emscripten's does.
 */
export function capWasmMemory(maxBytes: number): void {
  const { Memory } = WebAssembly;
  const grow = Memory.prototype.grow;
  const check = (bytes: number) => {
    if (bytes <= maxBytes) return;
    throw new RangeError(`expected at most ${maxBytes} bytes of WebAssembly memory, ${bytes} were wanted`);
  };
  Memory.prototype.grow = function growWithin(this: WebAssembly.Memory, pages: number): number {
    check(this.buffer.byteLength + pages * pageBytes);
    return grow.call(this, pages);
  };
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      check(descriptor.initial * pageBytes);
      super(descriptor);
    }
  };
}
