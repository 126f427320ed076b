import { EmbedError } from "../../errors.ts";

/** Where a server listens. `host` is undefined for all interfaces, IPv4 and IPv6. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** What a developer's machine gets without any setting. */
const developerAddress = { host: "127.0.0.1", port: 52001 } as const;

/** The port that Phantoscope dials when an endpoint names none. */
const defaultEndpointPort = 80;

/**
 * Decides where to listen: `--listen`, else the port of `OP_ENDPOINT` on all interfaces as the original
 * operators do, else 127.0.0.1:52001.
 * @throws EmbedError `CONFIG_INVALID`
 */
export function resolveListenAddress(
  listen: string | undefined,
  opEndpoint: string | undefined,
): ListenAddress {
  if (listen !== undefined) {
    const { host, port } = parseHostPort(listen, "--listen", 0);
    if (port === undefined) throw invalid("--listen", "HOST:PORT", listen);
    return { host: host === "" || host === "*" ? undefined : host, port };
  }
  if (opEndpoint !== undefined && opEndpoint !== "") {
    const { port = defaultEndpointPort } = parseHostPort(opEndpoint, "OP_ENDPOINT", 1);
    return { host: undefined, port };
  }
  return developerAddress;
}

/** Takes `HOST:PORT`, `HOST`, `[IPV6]:PORT` or `[IPV6]`; `port` is undefined where the text has none. */
function parseHostPort(text: string, setting: string, lowestPort: number): { host: string; port?: number } {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw invalid(setting, "HOST:PORT", text);
  if (match?.[3] === undefined) return { host };
  const port = Number(match[3]);
  if (port < lowestPort || port > 65535) throw invalid(setting, `a port from ${lowestPort} to 65535`, text);
  return { host, port };
}

function invalid(setting: string, expected: string, got: string): EmbedError {
  return new EmbedError("CONFIG_INVALID", `${setting}: expected ${expected}, got "${got}"`);
}
