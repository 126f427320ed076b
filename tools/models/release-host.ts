import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReleaseHost {
  /** Ends in a slash. */
  readonly url: string;
  /** Paths that were asked for. */
  readonly requests: string[];
  close(): void;
}

/** How a host answers for a path; what has no entry is not found. */
export type Answers = Readonly<Record<string, (response: ServerResponse) => void>>;

/** A host of files on this machine. */
export async function startReleaseHost(answers: Answers): Promise<ReleaseHost> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    const answer = answers[path];
    if (answer) answer(response);
    else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Sends a whole file. */
export const sendFile =
  (file: string, bytes: number) =>
  (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes });
    createReadStream(file).pipe(response);
  };

/** Leads elsewhere. */
export const redirectTo =
  (url: string) =>
  (response: ServerResponse): void =>
    void response.writeHead(302, { location: url }).end();
