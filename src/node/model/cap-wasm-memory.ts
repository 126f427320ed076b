const pageBytes = 65_536;

/**
 * Caps each WebAssembly memory of this thread from now on: growing beyond `maxBytes` fails, as it does where the
 * machine has no more, and the module's own allocator then finds none. A module's memory must grow through JavaScript
 * for that, as Emscripten's does.
 */
export function capWasmMemory(maxBytes: number): void {
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function growWithin(this: WebAssembly.Memory, pages: number): number {
    const bytes = this.buffer.byteLength + pages * pageBytes;
    if (bytes > maxBytes) {
      throw new RangeError(`expected at most ${maxBytes} bytes of WebAssembly memory, ${bytes} were wanted`);
    }
    return grow.call(this, pages);
  };
}
