import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus } from "../gen/grpc/health/v1/health_pb.ts";
import type { Readiness } from "./readiness.ts";

/** Longest part of a name that an answer repeats. */
const shownNameMaxLength = 200;

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

/**
 * Adds `grpc.health.v1.Health`. When `closing` aborts, every Watch tells the last state and ends: it would hold the
 * shutdown up.
 * @param readiness of the whole server, which the empty name stands for
 * @param services full names, each with its readiness
 */
export function addHealth(
  router: ConnectRouter,
  readiness: Readiness,
  services: Readonly<Record<string, Readiness>>,
  closing?: AbortSignal,
): void {
  router.service(Health, createHealth(new Map([["", readiness], ...Object.entries(services)]), closing));
}

function createHealth(
  readinessOf: ReadonlyMap<string, Readiness>,
  closing: AbortSignal | undefined,
): ServiceImpl<typeof Health> {
  const statusOf = (readiness: Readiness) => ({ status: readiness.current() ? SERVING : NOT_SERVING });

  return {
    check({ service }) {
      const readiness = readinessOf.get(service);
      if (readiness) return statusOf(readiness);
      const names = [...readinessOf.keys()].filter((name) => name !== "");
      const expected = `the empty name or one of ${names.join(", ")}`;
      // A cut may leave half a character, which could not be sent.
      const shown = service.slice(0, shownNameMaxLength).toWellFormed();
      throw new ConnectError(`expected ${expected}, got "${shown}"`, Code.NotFound);
    },
    list() {
      const all = [...readinessOf].map(([name, readiness]) => [name, statusOf(readiness)] as const);
      return { statuses: Object.fromEntries(all) };
    },
    async *watch({ service }, context) {
      const signal = closing ? AbortSignal.any([context.signal, closing]) : context.signal;
      // The protocol keeps the stream open for a service that may appear later.
      const readiness = readinessOf.get(service);
      const states = readiness
        ? follow(readiness, () => statusOf(readiness), signal)
        : constant(SERVICE_UNKNOWN, signal);
      yield* states;
      if (closing?.aborted) throw new ConnectError("the server shuts down", Code.Unavailable);
      throw ConnectError.from(context.signal.reason, Code.Canceled);
    },
  };
}

type Status = { readonly status: HealthCheckResponse_ServingStatus };

/** The state now, then every new one, until `signal`, and then the last one. A slow reader gets the latest state, never a queue. */
async function* follow(
  readiness: Readiness,
  current: () => Status,
  signal: AbortSignal,
): AsyncGenerator<Status> {
  let wake = (): void => undefined;
  const unsubscribe = readiness.onChange(() => wake());
  // Not in a `finally`: a stream whose client vanished in the middle of a write is never resumed.
  const onAbort = () => {
    unsubscribe();
    wake();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  let sent: HealthCheckResponse_ServingStatus | undefined;
  for (;;) {
    const state = current();
    if (state.status !== sent) {
      sent = state.status;
      yield state;
    } else if (signal.aborted) {
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

async function* constant(
  status: HealthCheckResponse_ServingStatus,
  signal: AbortSignal,
): AsyncGenerator<Status> {
  yield { status };
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
