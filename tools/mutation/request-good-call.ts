import { connect } from "node:http2";
import { readSamplePictures } from "./request-samples.ts";

/** A server that is wedged never answers; one on a busy machine may take seconds for what takes 10 ms. */
const goodCallTimeoutMs = 60_000;

/**
 * One good call of `Embed` on a connection of its own.
 * @returns the reply's JSON without its timings
 * @throws Error if it fails or takes too long
 */
export type GoodCall = () => Promise<string>;

/** The same call over HTTP/1.1 and over HTTP/2. */
export async function createGoodCalls(port: number): Promise<readonly [GoodCall, GoodCall]> {
  const pictures = await readSamplePictures();
  const images = pictures.map((picture) => ({ data: picture.toString("base64") }));
  const body = JSON.stringify({ images, vectorEncoding: "VECTOR_ENCODING_BYTES" });
  const path = "/portico.v1.EmbeddingService/Embed";
  return [() => callHttp1(port, path, body), () => callHttp2(port, path, body)];
}

async function callHttp1(port: number, path: string, body: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body,
    signal: AbortSignal.timeout(goodCallTimeoutMs),
  });
  return vectorsOf(response.status, await response.text());
}

async function callHttp2(port: number, path: string, body: string): Promise<string> {
  const session = connect(`http://127.0.0.1:${port}`);
  const timer = setTimeout(() => {
    session.destroy(new Error(`a good call over HTTP/2 was not answered in ${goodCallTimeoutMs} ms`));
  }, goodCallTimeoutMs);
  try {
    return await new Promise((resolve, reject) => {
      session.on("error", reject);
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/json",
      });
      let status: unknown;
      let text = "";
      stream.on("error", reject);
      stream.on("response", (headers) => {
        status = headers[":status"];
      });
      stream.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      stream.on("close", () => {
        try {
          resolve(vectorsOf(status, text));
        } catch (error) {
          reject(error);
        }
      });
      stream.end(body);
    });
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

function vectorsOf(status: unknown, text: string): string {
  if (status !== 200) throw new Error(`expected a good call to succeed, got ${status} ${text.slice(0, 500)}`);
  const { results } = JSON.parse(text) as { results: { embedding?: { vectorBytes: string } }[] };
  const vectors = results.map(({ embedding }) => embedding?.vectorBytes);
  if (vectors.length === 0 || vectors.includes(undefined)) {
    throw new Error(`expected a vector for each picture, got ${text.slice(0, 500)}`);
  }
  return vectors.join(" ");
}
