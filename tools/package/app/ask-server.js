import { createClient, EmbedError } from "portico/client";

const reasonOf = (call) =>
  call.then(
    () => "none",
    (error) => (error instanceof EmbedError ? error.reason : String(error)),
  );

/** Calls a server over each protocol, in Node and in a page alike, and says what it saw. */
export async function askServer(baseUrl, bytes) {
  const report = {};
  for (const protocol of ["connect", "grpc-web"]) {
    const client = createClient({ baseUrl, protocol });
    const [first] = await client.listModels();
    const { model, vectorSpace, results } = await client.embed([
      bytes,
      Uint8Array.of(1, 2, 3),
      new Blob([bytes]),
    ]);
    report[protocol] = {
      listed: first.name,
      model,
      vectorSpace,
      results: results.map((result) => (result.ok ? [...result.vector] : result.error.reason)),
      aborted: await reasonOf(client.embed([bytes], { signal: AbortSignal.abort() })),
      noModel: await reasonOf(client.getModel("none")),
      elsewhere: await reasonOf(createClient({ baseUrl: `${baseUrl}/none`, protocol }).listModels()),
    };
  }
  return report;
}
