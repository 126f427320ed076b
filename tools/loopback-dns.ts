import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Addresses by record type; `silent` for a query that is never answered. A name that is not listed: NXDOMAIN. */
export interface DnsZone {
  readonly [name: string]: {
    readonly A?: readonly string[] | "silent";
    readonly AAAA?: readonly string[] | "silent";
  };
}

export interface LoopbackDns {
  /** As `Resolver.setServers` takes it. */
  readonly server: string;
  /** `A minio.example` and so on, in the order of the queries. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

const types: Readonly<Record<number, "A" | "AAAA">> = { 1: "A", 28: "AAAA" };

/** A name server on loopback, which says what a test wants to hear (RFC 1035 section 4). */
export async function startLoopbackDns(zone: DnsZone): Promise<LoopbackDns> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    asked.push(`${type} ${name}`);
    const host = zone[name];
    const records = host?.[type] ?? [];
    if (records === "silent") return;
    const header = Buffer.from(query.subarray(0, 12));
    // Response, recursion wanted and had; NXDOMAIN is code 3.
    header.writeUInt16BE(host ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    const answers = records.map((record) => answerOf(type, record));
    socket.send(Buffer.concat([header, query.subarray(12, end), ...answers]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    server: `127.0.0.1:${socket.address().port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(resolve)),
  };
}

function readQuestion(query: Buffer): { name: string; type: "A" | "AAAA"; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = types[query.readUInt16BE(at + 1)];
  if (!type) throw new Error(`expected a query for A or AAAA, got type ${query.readUInt16BE(at + 1)}`);
  return { name: labels.join("."), type, end: at + 5 };
}

/** The name of the question (a pointer to offset 12), type, class IN, lifetime 0, the address. */
function answerOf(type: "A" | "AAAA", record: string): Buffer {
  const data = type === "A" ? record.split(".").map(Number) : ipv6Bytes(record);
  return Buffer.from([0xc0, 12, 0, type === "A" ? 1 : 28, 0, 1, 0, 0, 0, 0, 0, data.length, ...data]);
}

function ipv6Bytes(address: string): number[] {
  const [head = "", tail = ""] = address.split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const before = groups(head);
  const after = groups(tail);
  const all = [...before, ...Array(8 - before.length - after.length).fill("0"), ...after];
  return all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
}
