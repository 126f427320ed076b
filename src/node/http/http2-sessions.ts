import {
  constants,
  type Http2Server,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { connectionAgeMs } from "./connection-age.ts";
import type { HttpLimits } from "./http-limits.ts";
import type { HttpLog } from "./http-types.ts";

export interface Http2Sessions {
  /** Begins a session on a connection; `tcp` is what carries it, the same or what lies below TLS. */
  start(socket: Socket, tcp: Socket): void;
  /**
   * Ends a stream whose client does not read it; and the connection, where it does not answer a ping either: a
   * client that reads its connection does, however few of its streams it reads.
   */
  cutOff(stream: ServerHttp2Stream): void;
  /**
   * Tells every client to begin no more calls here. Once it has said so, Node's HTTP/2 takes none, whatever the GOAWAY
   * allows, so this one names the last call that was taken: a client that has begun a later one begins it elsewhere at once.
   */
  announceClose(): void;
  /**
   * Ends every session once its calls have. One without a call (half a header block is none) is ended when the word to go
   * has had the time of a round trip: a client that still sends would get a reset, and lose that word.
   */
  closeAll(): void;
}

interface Session {
  readonly tcp: Socket;
  openStreams: number;
  idleTimer: NodeJS.Timeout | undefined;
  ageTimer: NodeJS.Timeout | undefined;
  isAsked: boolean;
  /** Its client was told to go: the connection ends with its last call. */
  isLeaving: boolean;
}

/**
 * Keeps count of a server's sessions and their streams. A session that is too old is ended as at shutdown. One that has
 * no stream for the idle time is told to go, whatever else it sends: pings, and a header block that never ends, are no
 * reason to stay. Its client should then close the connection, but is not waited for long.
 */
export function trackHttp2Sessions(server: Http2Server, limits: HttpLimits, log: HttpLog): Http2Sessions {
  const sessions = new Map<Http2Session, Session>();
  let isClosing = false;

  /** Unless a call comes meanwhile; then the end of that call starts this again. */
  function endWithin(ms: number, state: Session): void {
    clearTimeout(state.idleTimer);
    state.idleTimer = setTimeout(() => state.tcp.destroy(), ms);
  }

  function startIdle(session: Http2Session, state: Session): void {
    if (isClosing || state.isLeaving) {
      session.close();
      // Longer than below: the end of the last reply may still be on its way.
      endWithin(limits.goodbyeTimeoutMs, state);
      return;
    }
    const onIdle = () => {
      session.close();
      endWithin(limits.goodbyeTimeoutMs, state);
    };
    state.idleTimer = setTimeout(onIdle, limits.sessionIdleTimeoutMs);
  }

  /** The word to go, and after the time of a round trip the end, as at shutdown. */
  function endForAge(session: ServerHttp2Session, state: Session): void {
    if (isClosing || session.closed || session.destroyed) return;
    session.goaway(constants.NGHTTP2_NO_ERROR);
    state.ageTimer = setTimeout(() => {
      if (isClosing || session.destroyed) return;
      state.isLeaving = true;
      session.close();
      if (state.openStreams === 0) endWithin(limits.goodbyeTimeoutMs, state);
    }, limits.closeLingerMs);
  }

  function begin(session: ServerHttp2Session, tcp: Socket): void {
    const state: Session = {
      tcp,
      openStreams: 0,
      idleTimer: undefined,
      ageTimer: undefined,
      isAsked: false,
      isLeaving: false,
    };
    sessions.set(session, state);
    startIdle(session, state);
    const ageMs = connectionAgeMs(limits.connectionMaxAgeMs);
    if (Number.isFinite(ageMs)) state.ageTimer = setTimeout(() => endForAge(session, state), ageMs);
    // The session's own event waits for a client that says goodbye.
    tcp.once("close", () => {
      sessions.delete(session);
      clearTimeout(state.idleTimer);
      clearTimeout(state.ageTimer);
    });
  }

  server.on("stream", (stream) => {
    const { session } = stream;
    const state = session && sessions.get(session);
    if (!state) return;
    state.openStreams += 1;
    clearTimeout(state.idleTimer);
    // Node keeps a stream whose client resets it without an error until all is sent, which it never is.
    stream.once("aborted", () => {
      if (stream.rstCode === constants.NGHTTP2_NO_ERROR) stream.destroy();
    });
    stream.once("close", () => {
      state.openStreams -= 1;
      if (state.openStreams === 0 && sessions.has(session)) startIdle(session, state);
    });
  });
  // A peer's protocol error ends its own session and nothing else. gRPC's Go client makes one with every
  // goodbye (a GOAWAY whose stream id nghttp2 refuses), so it is told only where a call was lost.
  server.on("sessionError", (error, session) => {
    if (sessions.get(session)?.openStreams) {
      log("warn", "an HTTP/2 session failed with calls in flight", { error });
    }
  });

  return {
    start(socket, tcp) {
      // Only HTTP/1.1 knows half-open connections; a session whose client went would stay for ever.
      socket.allowHalfOpen = false;
      const onSession = (session: ServerHttp2Session) => {
        begin(session, tcp);
        session.setLocalWindowSize(limits.sessionWindowBytes);
      };
      server.once("session", onSession);
      server.emit("connection", socket);
      server.off("session", onSession);
    },
    cutOff(stream) {
      const { session } = stream;
      stream.close(constants.NGHTTP2_CANCEL);
      const state = session && sessions.get(session);
      if (!state || state.isAsked || session.destroyed) return;
      state.isAsked = true;
      const timer = setTimeout(() => state.tcp.destroy(), limits.replyStallTimeoutMs);
      const stop = () => clearTimeout(timer);
      state.tcp.once("close", stop);
      session.ping(() => {
        stop();
        state.tcp.off("close", stop);
        state.isAsked = false;
      });
    },
    announceClose() {
      for (const session of sessions.keys()) {
        if (!session.closed && !session.destroyed) session.goaway(constants.NGHTTP2_NO_ERROR);
      }
    },
    closeAll() {
      isClosing = true;
      for (const [session, state] of sessions) {
        session.close();
        if (state.openStreams === 0) endWithin(limits.closeLingerMs, state);
      }
    },
  };
}
