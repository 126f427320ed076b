import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * What an address is, as far as fetching from it goes.
 *
 * - `public`: anybody may reach it.
 * - `private`: other machines of a private network, which `--allow-private` lets callers reach: RFC 1918,
 *   100.64.0.0/10 (RFC 6598) and fc00::/7 (RFC 4193), written plainly.
 * - `special`: whatever else is not public: loopback, link-local, multicast, reserved space, and IPv6 forms
 *   that carry such an address or a private one. Only a host that the operator names may be there.
 * - `metadata`: a cloud's metadata service, which even a named host must never turn out to be.
 */
export type AddressKind = "public" | "private" | "special" | "metadata";

export interface AddressVerdict {
  readonly kind: AddressKind;
  /** Why, in a word or two, such as `loopback` or `uniqueLocal`; for logs and for literals in a URL. */
  readonly why: string;
}

/**
 * Where clouds hand credentials and settings to their machines. All of 169.254.0.0/16 counts as such, since
 * several services live there (AWS, Azure, Google, OpenStack, container credentials at .170.2). Those in
 * public space can only be known by name: no registry of special addresses lists them.
 */
const metadataRanges = [
  "169.254.0.0/16",
  // Azure's wire server and Packet's metadata service: both look public.
  "168.63.129.16/32",
  "192.80.8.124/32",
  // Alibaba and Oracle.
  "100.100.100.200/32",
  "192.0.0.192/32",
  // IPv6: AWS (all of its services for machines), Google, Oracle, Alibaba, Scaleway, Linode, OpenStack.
  "fd00:ec2::/32",
  "fd20:ce::254/128",
  "fd00:c1::a9fe:a9fe/128",
  "fd00:100::100:200/128",
  "fd00:42::42/128",
  "fd00:a9fe:a9fe::1/128",
  "fe80::a9fe:a9fe/128",
].map((range) => ipaddr.parseCIDR(range));

/** ipaddr.js's names of the ranges that are somebody's private network. */
const privateRanges = new Set(["private", "carrierGradeNat", "uniqueLocal"]);

/** RFC 4291 section 2.4: the only space from which global unicast addresses are given out. */
const globalUnicast = ipaddr.parseCIDR("2000::/3");

/** RFC 4291 section 2.5.5.1: the deprecated `::a.b.c.d`. */
const ipv4Compatible = ipaddr.parseCIDR("::/96");

/**
 * Says whether an IP address may be dialled on behalf of a stranger. Everything that is not plainly public
 * counts as not public: special ranges (RFC 6890 and later), IPv6 outside 2000::/3, 6to4 and Teredo (relays that lead
 * back to an IPv4 address), and IPv6 forms that carry an IPv4 address which is itself not public.
 *
 * @param address as a resolver or `new URL().hostname` gives it; brackets of an IPv6 literal are allowed
 */
export function checkAddress(address: string): AddressVerdict {
  const bare = address.replace(/^\[(.*)\]$/, "$1");
  // A zone index (fe80::1%eth0) is only ever put on addresses of the local link.
  if (isIP(bare) === 0 || bare.includes("%")) return { kind: "special", why: "not a plain IP address" };
  return isIP(bare) === 4 ? checkIPv4(ipaddr.IPv4.parse(bare)) : checkIPv6(parseIPv6(bare));
}

/** ipaddr.js takes `::a.b.c.d` for `::ffff:a.b.c.d`; written without dots, both are what they are. */
function parseIPv6(address: string): ipaddr.IPv6 {
  return ipaddr.IPv6.parse(new URL(`http://[${address}]`).hostname.slice(1, -1));
}

function checkIPv4(address: ipaddr.IPv4): AddressVerdict {
  if (isMetadata(address)) return { kind: "metadata", why: "cloud metadata service" };
  const range = address.range();
  return range === "unicast" ? { kind: "public", why: range } : { kind: kindOfRange(range), why: range };
}

function checkIPv6(address: ipaddr.IPv6): AddressVerdict {
  if (isMetadata(address)) return { kind: "metadata", why: "cloud metadata service" };
  const range = address.range();
  const embedded = embeddedIPv4(address, range);
  if (embedded) {
    const inner = checkIPv4(embedded.address);
    if (inner.kind !== "public") {
      // Nobody has to write a private address this way, so it is not what --allow-private stands for.
      const kind = inner.kind === "metadata" ? inner.kind : "special";
      return { kind, why: `${embedded.form} of ${inner.why}` };
    }
    // A translator or the system's own stack carries these two to the very IPv4 address just checked.
    if (embedded.form === "ipv4Mapped" || embedded.form === "rfc6052") return inner;
  }
  if (range !== "unicast") return { kind: kindOfRange(range), why: range };
  if (!address.match(globalUnicast)) return { kind: "special", why: "outside 2000::/3" };
  return { kind: "public", why: range };
}

function kindOfRange(range: string): AddressKind {
  return privateRanges.has(range) ? "private" : "special";
}

/** The IPv4 address that an IPv6 address stands for, if it is of a form that carries one. */
function embeddedIPv4(
  address: ipaddr.IPv6,
  range: string,
): { form: string; address: ipaddr.IPv4 } | undefined {
  const bytes = address.toByteArray();
  const at = (offset: number, mask = 0) =>
    new ipaddr.IPv4(bytes.slice(offset, offset + 4).map((byte) => byte ^ mask));
  switch (range) {
    case "ipv4Mapped":
    case "rfc6145":
      return { form: range, address: at(12) };
    case "rfc6052":
      // Only the well-known prefix 64:ff9b::/96 says where the address lies (RFC 6052 section 2.1).
      return bytes[5] === 0 ? { form: range, address: at(12) } : undefined;
    case "6to4":
      return { form: range, address: at(2) };
    case "teredo":
      // RFC 4380 section 4: the client's address has all its bits turned over.
      return { form: range, address: at(12, 0xff) };
  }
  // Every other special range is refused whatever it carries.
  if (range !== "unicast") return undefined;
  if (address.match(ipv4Compatible)) return { form: "ipv4Compatible", address: at(12) };
  // RFC 5214 section 6.1: ISATAP's interface identifier is 0:5efe or 200:5efe, then the IPv4 address.
  const isatap = ((bytes[8]! & 0xfd) | bytes[9]!) === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe;
  return isatap ? { form: "isatap", address: at(12) } : undefined;
}

function isMetadata(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return metadataRanges.some(
    ([base, bits]) =>
      base.kind() === address.kind() && address.match(base as ipaddr.IPv4 & ipaddr.IPv6, bits),
  );
}
