/** Gives memory back now, not with the next collection of garbage. Nobody may read `bytes`, or what shares their buffer, any more. */
export function releaseMemory({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The same for a piece that is all of its buffer; one that shares a pool of Node's with others is left alone. */
export function releasePiece(piece: Uint8Array): void {
  if (piece.byteLength === piece.buffer.byteLength) releaseMemory(piece);
}
