import { EmbedError } from "../../errors.ts";
import type { ListenAddress } from "./listen-address.ts";

/** Why a server cannot listen on `address`, as `CONFIG_INVALID` with the way out. */
export function toListenError(error: unknown, address: ListenAddress): EmbedError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  const message = describe(code, address.host ?? "all interfaces", address.port);
  return new EmbedError("CONFIG_INVALID", message, { cause: error });
}

const choose = "choose another with --listen HOST:PORT or the environment variable OP_ENDPOINT";

function describe(code: string, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `expected port ${port} on ${host} to be free, but something listens there already; ${choose}`;
    case "EACCES":
      return `this user may not listen on port ${port} of ${host}: lower the sysctl net.ipv4.ip_unprivileged_port_start to ${port} or less, or ${choose}`;
    case "EADDRNOTAVAIL":
      return `expected an address of this machine to listen on, got ${host}; 0.0.0.0 is all of them; ${choose}`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `expected an address of this machine to listen on, got "${host}", which has no address; ${choose}`;
    case "ERR_SOCKET_BAD_PORT":
      return `expected a port from 0 to 65535 to listen on, got ${port}; ${choose}`;
    default:
      return `cannot listen on port ${port} of ${host} (${code}); ${choose}`;
  }
}
