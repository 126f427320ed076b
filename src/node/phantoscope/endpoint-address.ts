import { isIP } from "node:net";
import { EmbedError } from "../../errors.ts";

/** Where Phantoscope is to dial an operator. */
export interface EndpointAddress {
  /** As it was given: Phantoscope keeps and shows this text. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Takes `HOST:PORT` or `[IPV6]:PORT`. The port must be there: gRPC's C core, which Phantoscope dials with, takes 443
 * where there is none.
 * @throws EmbedError `CONFIG_INVALID`
 */
export function parseEndpoint(text: string, setting: string): EndpointAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port < 1 || port > 65535) {
    const why = text.includes("://") ? ", without http://" : "";
    throw new EmbedError("CONFIG_INVALID", `${setting}: expected HOST:PORT${why}, got "${text}"`);
  }
  return { text, host, port };
}

/** Whether a host means "this machine" to whoever dials it. */
export function isLoopback(host: string): boolean {
  const name = bare(host);
  if (isIP(name) === 4) return name.startsWith("127.");
  return name === "localhost" || name.endsWith(".localhost") || /^(0*:)*:?0*1$/.test(name);
}

/** Whether a host is that of "all interfaces", which is for listening only. */
export function isUnspecified(host: string): boolean {
  const name = bare(host);
  return name === "0.0.0.0" || /^[0:]*::[0:]*$|^(0+:){7}0+$/.test(name);
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
