/** What one port takes before it refuses. Times are in milliseconds. */
export interface HttpLimits {
  /** Largest message in either direction, unpacked. Phantoscope sends and takes up to 100 MiB. */
  readonly messageMaxBytes: number;
  /** Largest request message, unpacked, of an RPC without a row below: a name or a question fits. */
  readonly smallRequestMaxBytes: number;
  /** Largest request message, unpacked, of an RPC that takes pictures, or next to nothing, by "package.Service/Method". */
  readonly requestMaxBytesByRpc: Readonly<Record<string, number>>;
  /**
   * Parts of one request message, each of which costs memory many times its own bytes: in protobuf all
   * fields, in JSON the characters `[`, `{` and `,` outside strings. A call takes 1000 pictures by default,
   * so this leaves room for a raised `--max-items`, and for parts that are skipped; 100,000 parse in 50 ms.
   */
  readonly messageMaxElements: number;
  /** Messages, groups, lists and objects within each other; what protobuf itself allows in every language. */
  readonly messageMaxDepth: number;
  /**
   * Request bodies with pictures that are held at once, in bytes, of all calls together: as they arrive, and
   * unpacked. Two full messages and room for small ones; a body costs at most five times itself in memory.
   * One call alone may hold more.
   */
  readonly inflightMaxBytes: number;
  /**
   * The same for RPCs whose messages are small, so that they are answered while pictures fill the other; such a
   * message counts until its service has it. RPCs of at most `tinyRequestMaxBytes` count for neither.
   */
  readonly smallInflightMaxBytes: number;
  /** From the connection to the end of the HTTP/2 preface, or to the first byte that differs from it. */
  readonly prefaceTimeoutMs: number;
  /** With TLS: from the connection to the end of the handshake. Slow mobile networks take 2 s. */
  readonly tlsHandshakeTimeoutMs: number;
  /** HTTP/1.1: from the first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /**
   * For a whole request to arrive: over HTTP/1.1 any request, over HTTP/2 a call whose client sends one
   * message. 100 MiB in 5 minutes is 3 Mbit/s. Over HTTP/2 a call whose client streams may last: each of its
   * messages has this long from its first byte to its last, and the silence before it as long (Envoy's
   * stream_idle_timeout), while it is waited for.
   */
  readonly requestTimeoutMs: number;
  /** HTTP/1.1: an idle connection is kept for longer than the 60 s that load balancers commonly use. */
  readonly keepAliveTimeoutMs: number;
  /**
   * For a client to take 64 KiB of a reply, or any part that is left of it: 9 kbit/s. After it the connection
   * (HTTP/2: the stream; the session too, if it answers no ping for as long again) is ended.
   */
  readonly replyStallTimeoutMs: number;
  /**
   * HTTP/2: a session without a stream is told to go (GOAWAY) after this time; gRPC clients reconnect. Pings do
   * not count, and neither does a header block that never ends.
   */
  readonly sessionIdleTimeoutMs: number;
  /** HTTP/2: from the end of a session to the end of its connection, which its client should close. */
  readonly goodbyeTimeoutMs: number;
  /**
   * A connection older than this is ended once its calls are, and its client told so beforehand (HTTP/2: GOAWAY; HTTP/1.1:
   * `connection: close` on the next answer), as gRPC's MAX_CONNECTION_AGE: clients that look up names only when they
   * connect find new servers. A tenth more or less for each connection, so that those of one moment do not all come
   * back at once. No limit by default, as with gRPC: a server that is alone gains nothing.
   */
  readonly connectionMaxAgeMs: number;
  /**
   * At shutdown, and where a connection is too old, from the word to clients that they should go (HTTP/2: GOAWAY;
   * HTTP/1.1: `connection: close` on every answer) to the end of idle connections: HTTP/1.1 requests that are on their
   * way at that moment are answered, and HTTP/2 clients hear that theirs were not taken. A quarter of a second is a
   * round trip to anywhere.
   */
  readonly closeLingerMs: number;
  /** Connections beyond this number are closed at once. */
  readonly maxConnections: number;
  /**
   * The same of one client, by address. No limit by default: behind a proxy, a container network or a NAT all
   * users share one address, so that any number that stops an attacker could stop everybody.
   */
  readonly maxConnectionsPerClient: number;
  /** HTTP/2: streams open at once in one session; a client queues the others. */
  readonly maxConcurrentStreams: number;
  /**
   * HTTP/1.1: requests sent ahead on one connection whose answers were not read yet. Their answers wait in memory;
   * no common client sends more than one.
   */
  readonly maxRequestsAhead: number;
  /** All header fields of one request, in bytes. Node's own default for HTTP/1.1. */
  readonly headersMaxBytes: number;
  /** HTTP/2: what a client may send ahead on one stream; 64 KiB, the default, slows large pictures down. */
  readonly streamWindowBytes: number;
  /** HTTP/2: what a client may send ahead on all streams of a session; bounds what lies unread. */
  readonly sessionWindowBytes: number;
  /** HTTP/2: while more than this waits to be sent, a session refuses new streams. Holds two full replies. */
  readonly sessionMaxMegabytes: number;
  /** HTTP/1.1: what is read and thrown away of a refused body before the connection is closed. */
  readonly discardMaxBytes: number;
  readonly discardTimeoutMs: number;
}

/** An RPC whose request messages are at most this long takes a name or nothing at all. */
export const tinyRequestMaxBytes = 1024;

export const defaultHttpLimits: HttpLimits = {
  messageMaxBytes: 100 * 2 ** 20,
  smallRequestMaxBytes: 64 * 2 ** 10,
  requestMaxBytesByRpc: {
    "omnisearch.Operator/Execute": 100 * 2 ** 20,
    "portico.v1.EmbeddingService/Embed": 100 * 2 ** 20,
    "portico.v1.EmbeddingService/EmbedStream": 100 * 2 ** 20,
    "omnisearch.Operator/Identity": tinyRequestMaxBytes,
    "omnisearch.Operator/Healthy": tinyRequestMaxBytes,
    "portico.v1.EmbeddingService/ListModels": tinyRequestMaxBytes,
    "portico.v1.EmbeddingService/GetModel": tinyRequestMaxBytes,
    "grpc.health.v1.Health/Check": tinyRequestMaxBytes,
    "grpc.health.v1.Health/List": tinyRequestMaxBytes,
    "grpc.health.v1.Health/Watch": tinyRequestMaxBytes,
  },
  messageMaxElements: 100_000,
  messageMaxDepth: 100,
  inflightMaxBytes: 256 * 2 ** 20,
  smallInflightMaxBytes: 16 * 2 ** 20,
  prefaceTimeoutMs: 5_000,
  tlsHandshakeTimeoutMs: 10_000,
  headersTimeoutMs: 30_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 65_000,
  replyStallTimeoutMs: 60_000,
  sessionIdleTimeoutMs: 300_000,
  goodbyeTimeoutMs: 5_000,
  connectionMaxAgeMs: Number.POSITIVE_INFINITY,
  closeLingerMs: 250,
  maxConnections: 1_000,
  maxConnectionsPerClient: Number.POSITIVE_INFINITY,
  maxConcurrentStreams: 128,
  maxRequestsAhead: 100,
  headersMaxBytes: 16 * 2 ** 10,
  streamWindowBytes: 2 ** 20,
  sessionWindowBytes: 16 * 2 ** 20,
  sessionMaxMegabytes: 256,
  discardMaxBytes: 128 * 2 ** 20,
  discardTimeoutMs: 5_000,
};
