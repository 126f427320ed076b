import { once } from "node:events";
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Session } from "node:http2";

/** Longer than what Envoy keeps by default. */
const answerBytes = 3_000_000;

/** A replica that is healthy and ends each second connection in the middle of its first answer. */
export interface HalfAnswers {
  /** Calls so far, those of them that were cut off included. */
  calls(): number;
  close(): Promise<void>;
}

/** It answers every path as gRPC answers: headers, a body, and a status in trailers. */
export async function serveHalfAnswers(host: string, port: number): Promise<HalfAnswers> {
  let calls = 0;
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    // Cut off on purpose.
    stream.on("error", () => undefined);
    if (headers[":path"] === "/readyz") {
      stream.respond({ ":status": 200 });
      stream.end();
      return;
    }
    calls += 1;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    if (calls % 2 === 0) stream.end(Buffer.alloc(answerBytes));
    // Written to the network before the connection ends.
    else stream.write(Buffer.alloc(answerBytes / 2 ** 10), () => stream.session?.destroy());
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    calls: () => calls,
    async close() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** What a client saw of an answer. */
export interface SeenAnswer {
  readonly status: string;
  readonly isWhole: boolean;
}

/** One call of gRPC, whose status is that of its trailers. */
export async function askForAnswer(url: string, path: string): Promise<SeenAnswer> {
  const session = connect(url);
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  let bytes = 0;
  let status = "none";
  stream.on("data", (piece: Buffer) => {
    bytes += piece.length;
  });
  stream.on("trailers", (trailers: IncomingHttpHeaders) => {
    status = String(trailers["grpc-status"]);
  });
  // Its status tells that it was cut off.
  stream.on("error", () => undefined);
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.end(Buffer.alloc(5));
  await closed;
  session.close();
  return { status, isWhole: bytes === answerBytes };
}
