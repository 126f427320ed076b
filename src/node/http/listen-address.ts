import { isIPv4, isIPv6 } from "node:net";
import { EmbedError } from "../../errors.ts";

/** Where a server listens. `host` is undefined for all interfaces, IPv4 and IPv6. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** What a developer's machine gets without any setting. */
const developerAddress = { host: "127.0.0.1", port: 52001 } as const;

/** The port that Phantoscope dials when an endpoint names none. */
export const defaultEndpointPort = 80;

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
    const { host, port } = parseHostPort(listen, listenSetting);
    if (port === undefined) throw invalid(listen, listenSetting);
    return { host: host === "" || host === "*" ? undefined : host, port };
  }
  if (opEndpoint !== undefined && opEndpoint !== "") {
    const { port = defaultEndpointPort } = parseHostPort(opEndpoint, endpointSetting);
    return { host: undefined, port };
  }
  return developerAddress;
}

interface Setting {
  readonly name: string;
  readonly lowestPort: number;
  /** Whether "no host" and `*` stand for all interfaces. */
  readonly mayBeAnyHost: boolean;
  /** What HOST is for. */
  readonly hostIs: string;
  readonly example: string;
}

const listenSetting: Setting = {
  name: "--listen",
  lowestPort: 0,
  mayBeAnyHost: true,
  hostIs: "an address of this machine",
  example: "127.0.0.1:52001 or *:52001",
};

const endpointSetting: Setting = {
  name: "OP_ENDPOINT",
  lowestPort: 1,
  mayBeAnyHost: false,
  hostIs: "the address that callers use",
  example: "192.168.1.85:52001",
};

const loopbackHosts: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** The host under which a program of this machine reaches a server that listens on `host`, which may be all interfaces. */
export function hostToDial({ host = "0.0.0.0" }: ListenAddress): string {
  return loopbackHosts[host] ?? host;
}

/** Takes `HOST:PORT`, `HOST`, `[IPV6]:PORT` or `[IPV6]`; `port` is undefined where the text has none. */
function parseHostPort(text: string, setting: Setting): { host: string; port?: number } {
  const match = /^(?:\[([^\s[\]]+)\]|([\w.-]+|\*|))(?::(\d+))?$/.exec(text);
  const [, ipv6, name, digits] = match ?? [];
  const host = ipv6 ?? name;
  if (host === undefined) throw invalid(text, setting);
  const isAny = host === "" || host === "*";
  // Digits and dots alone are no name: 256.1.1.1 is a slip.
  const isNumber = ipv6 === undefined && /^[\d.]+$/.test(host);
  const isHost = isAny ? setting.mayBeAnyHost : ipv6 !== undefined ? isIPv6(ipv6) : !isNumber || isIPv4(host);
  if (!isHost) throw invalid(text, setting);
  if (digits === undefined) return { host };
  const port = Number(digits);
  if (port < setting.lowestPort || port > 65535) {
    throw refuse(setting, `a port from ${setting.lowestPort} to 65535`, text);
  }
  return { host, port };
}

function invalid(text: string, setting: Setting): EmbedError {
  return refuse(setting, "HOST:PORT", text, mendHostPort(text, setting));
}

function refuse({ name }: Setting, expected: string, got: string, mend?: string): EmbedError {
  // As JSON, so that a line break or a carriage return of a file of variables is seen.
  const message = `${name}: expected ${expected}, got ${JSON.stringify(got)}`;
  return new EmbedError("CONFIG_INVALID", mend ? `${message}; ${mend}` : message);
}

/** What people write instead, and what they should. */
function mendHostPort(text: string, { hostIs, example }: Setting): string {
  const scheme = /^[\w+.-]+:\/\//.exec(text)?.[0];
  if (scheme !== undefined) return `leave out ${scheme}`;
  const [, host = "", port] = /^(.*):(\d{1,5})$/s.exec(text) ?? [];
  // The last group of "::1:52001" may be a port or not.
  if (isIPv6(host)) return `an IPv6 address needs brackets, as in [${host}]:${port}`;
  if (isIPv6(text)) return `an IPv6 address needs brackets, as in [${text}]:52001`;
  return `HOST is ${hostIs}, as in ${example}`;
}
