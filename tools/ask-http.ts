import { once } from "node:events";
import { request as requestHttp1 } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { text } from "node:stream/consumers";

export interface HttpQuestion {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** The HTTP versions of one port, for tables of tests. */
export const httpVersions = ["1.1", "2"] as const;

/** One plain request on a connection of its own; unlike `fetch` it sends any header, such as `origin`. */
export async function askHttp(
  version: (typeof httpVersions)[number],
  address: string,
  { method = "GET", path, headers = {}, body }: HttpQuestion,
): Promise<HttpAnswer> {
  if (version === "1.1") {
    // Not as part of the URL, which would lose its dots.
    const request = requestHttp1(`http://${address}`, { method, path, headers, agent: false }).end(body);
    const [response] = await once(request, "response");
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }
  const session = connectHttp2(`http://${address}`);
  try {
    const stream = session.request(
      { ":method": method, ":path": path, ...headers },
      { endStream: body === undefined },
    );
    if (body !== undefined) stream.end(body);
    const [got] = await once(stream, "response");
    return { status: got[":status"], headers: got, body: await text(stream) };
  } finally {
    session.destroy();
  }
}
