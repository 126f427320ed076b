/** A client at 10 kbit/s takes one within a minute. */
const pieceBytes = 64 * 2 ** 10;

/**
 * A reply's body in pieces of at most 64 KiB, so that one sees whether its client takes it: Node tells when
 * a piece is written, but of one large piece nothing in between.
 */
export async function* inPieces(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    for (let at = 0; at === 0 || at < chunk.length; at += pieceBytes) {
      yield chunk.length <= pieceBytes ? chunk : chunk.subarray(at, at + pieceBytes);
    }
  }
}
