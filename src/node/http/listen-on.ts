import type { AddressInfo, Server } from "node:net";
import type { HttpLog } from "./http-types.ts";
import type { ListenAddress } from "./listen-address.ts";
import { toListenError } from "./listen-error.ts";

/** What a server listens on. */
export interface BoundAddress {
  readonly host: string;
  readonly port: number;
}

/** @throws EmbedError `CONFIG_INVALID`: the address is taken, forbidden or not of this machine */
export function listenOn(server: Server, address: ListenAddress, log: HttpLog): Promise<BoundAddress> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(toListenError(error, address));
    server.once("error", fail);
    try {
      server.listen(address, () => {
        server.off("error", fail);
        // Accepting may fail later, for example when file descriptors run out; the server goes on.
        server.on("error", (error) => log("error", "the listening socket failed", { error }));
        const bound = server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    } catch (error) {
      fail(error);
    }
  });
}
