import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { HttpLog } from "../http/http-types.ts";

/**
 * Tells `log` of every failure that is our own fault. The client is told nothing of it but "internal error":
 * Connect hides whatever is not a `ConnectError`. What is wrong with a request is never our fault, although
 * the protocols want the code `internal` for some of it, such as a compressed message of no known encoding.
 */
export function logInternalErrors(log: HttpLog): Interceptor {
  return (next) => async (received) => {
    const requestErrors = new Set<unknown>();
    const request = received.stream
      ? { ...received, message: reportWhile(received.message, (error) => requestErrors.add(error)) }
      : received;
    const report = (error: unknown) => {
      if (requestErrors.has(error) || isOfSignal(error, request.signal) || !isOurFault(error)) return;
      log("error", "a call failed inside", {
        rpc: `${request.service.typeName}/${request.method.name}`,
        error,
      });
    };
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: reportWhile(response.message, report) } : response;
    } catch (error) {
      report(error);
      throw error;
    }
  };
}

/** A client may give up its call with any code of HTTP/2, that of an internal error too. */
function isOfSignal(error: unknown, { aborted, reason }: AbortSignal): boolean {
  return aborted && error === reason;
}

function isOurFault(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return true;
  return error.code === Code.Internal || error.code === Code.Unknown || error.code === Code.DataLoss;
}

/** Reports what the messages throw; not what their reader throws into them, such as that the client has gone. */
function reportWhile<T>(messages: AsyncIterable<T>, report: (error: unknown) => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = messages[Symbol.asyncIterator]();
      return {
        ...(iterator.return ? { return: (value?: unknown) => iterator.return!(value) } : {}),
        ...(iterator.throw ? { throw: (error?: unknown) => iterator.throw!(error) } : {}),
        async next() {
          try {
            return await iterator.next();
          } catch (error) {
            report(error);
            throw error;
          }
        },
      };
    },
  };
}
