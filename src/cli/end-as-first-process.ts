import { constants } from "node:os";

/**
 * The first process of a container gets no signal that it has no listener for: the system's own way to end it would end
 * the container's system. So that one which is stopped while it starts does not go on until it is killed, these end it as they
 * end any other process, unless something else listens by then.
 */
if (process.pid === 1) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + constants.signals[signal]);
    });
  }
}
