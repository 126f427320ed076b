import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Stands between a client and a server and keeps what the client sends. */
export interface RequestRecorder {
  readonly port: number;
  /** What the clients have sent since the last call; ends their connections. */
  take(): Buffer;
  close(): void;
}

export async function startRequestRecorder(serverPort: number): Promise<RequestRecorder> {
  let recorded: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ host: "127.0.0.1", port: serverPort });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => to.write(chunk));
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    client.on("data", (chunk) => recorded.push(chunk));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = Buffer.concat(recorded);
      recorded = [];
      for (const socket of sockets) socket.destroy();
      return taken;
    },
    close: () => void server.close(),
  };
}
