import { type ClientHttp2Session, connect, constants } from "node:http2";

export interface HttpReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** HTTP reduced to what an RPC client needs: one POST, one whole answer. Rejects when there is none. */
export interface HttpPost {
  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
  ): Promise<HttpReply>;
  close(): Promise<void>;
}

/** HTTP/1.1 through the runtime's own `fetch`. `authority` is host:port. */
export function createFetchPost(authority: string): HttpPost {
  return {
    async post(path, headers, body, signal) {
      const response = await fetch(`http://${authority}${path}`, {
        method: "POST",
        headers,
        body,
        signal,
        redirect: "error",
      });
      return {
        status: response.status,
        headers: new Map(response.headers),
        body: new Uint8Array(await response.arrayBuffer()),
      };
    },
    close: () => Promise.resolve(),
  };
}

/** HTTP/2 in plain text with prior knowledge, one connection for all calls. `fetch` cannot do that. */
export function createH2cPost(authority: string): HttpPost {
  let session: ClientHttp2Session | undefined;

  function openSession(): ClientHttp2Session {
    if (session && !session.closed && !session.destroyed) return session;
    session = connect(`http://${authority}`);
    // A failed connection also fails the stream that waits for it, and that is where it is told.
    session.on("error", () => undefined);
    return session;
  }

  return {
    post: (path, headers, body, signal) =>
      new Promise((resolve, reject) => {
        const stream = openSession().request(
          { [constants.HTTP2_HEADER_METHOD]: "POST", [constants.HTTP2_HEADER_PATH]: path, ...headers },
          { signal },
        );
        const chunks: Uint8Array[] = [];
        let status = 0;
        const received = new Map<string, string>();
        stream.on("response", (fields) => {
          status = Number(fields[constants.HTTP2_HEADER_STATUS]);
          for (const [name, value] of Object.entries(fields)) received.set(name, String(value));
        });
        stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
        stream.on("error", reject);
        stream.on("close", () => {
          if (status === 0) reject(new Error("the stream was closed without an answer"));
          else resolve({ status, headers: received, body: new Uint8Array(Buffer.concat(chunks)) });
        });
        stream.end(body);
      }),
    close: () =>
      new Promise((resolve) => {
        if (!session || session.destroyed) return resolve();
        session.close(resolve);
      }),
  };
}
