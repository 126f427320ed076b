import ipaddr from "ipaddr.js";

/**
 * Who a connection belongs to, as far as its address tells: an IPv4 address, or the /64 network of an IPv6
 * address, since every subscriber has at least one such network to choose addresses from (RFC 6177).
 * Headers such as X-Forwarded-For are not looked at: anybody can write them.
 */
export function clientOfAddress(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined || !ipaddr.isValid(remoteAddress)) return "unknown";
  // Unwraps ::ffff:1.2.3.4, which is how an IPv4 client looks on a socket for both.
  const address = ipaddr.process(remoteAddress);
  if (address.kind() === "ipv4") return address.toString();
  const network = (address as ipaddr.IPv6).parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(":")}::/64`;
}

/** How many things each client has open at once. */
export interface ClientCap {
  /** Counts one more and is true, or is false where the client has as many as it may. */
  enter(client: string): boolean;
  leave(client: string): void;
  /** Clients that have anything open. */
  clients(): number;
}

export function createClientCap(max: number): ClientCap {
  const open = new Map<string, number>();
  return {
    enter(client) {
      const count = open.get(client) ?? 0;
      if (count >= max) return false;
      open.set(client, count + 1);
      return true;
    },
    leave(client) {
      const count = open.get(client) ?? 0;
      if (count > 1) open.set(client, count - 1);
      else open.delete(client);
    },
    clients: () => open.size,
  };
}
