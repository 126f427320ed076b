import { once } from "node:events";
import type http from "node:http";
import net, { type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import {
  allClosed,
  outcome,
  pictures,
  policy,
  unreachable,
  usePictureServer,
} from "../../../tools/picture-server.ts";
import type { EmbedError } from "../../errors.ts";
import { createFetchImage, type FetchReport } from "./fetch-image.ts";

usePictureServer();

test("says who it is, asks for no compression, sends nothing else of note", async () => {
  pictures.seen.length = 0;
  await createFetchImage(policy())(`http://${pictures.host}/picture?x=1#fragment`);
  expect(pictures.seen.map(({ method, url }) => [method, url])).toEqual([["GET", "/picture?x=1"]]);
  const { connection, ...headers } = pictures.seen[0]!.headers;
  expect(connection).toBeDefined();
  expect(headers).toEqual({
    host: pictures.host,
    "user-agent": "Portico (image-embedding operator)",
    accept: "image/*,*/*;q=0.5",
    "accept-encoding": "identity",
  });
});

test.each(["/hang", "/drip"])("%s ends with the deadline, and its connection with it", async (path) => {
  const start = performance.now();
  expect(await outcome(createFetchImage(policy({ timeoutMs: 150 }))(`http://${pictures.host}${path}`))).toBe(
    unreachable("no whole answer within 150 ms (--fetch-timeout-ms)"),
  );
  expect(performance.now() - start).toBeLessThan(1500);
  await allClosed();
});

test("the deadline covers redirects and body together", async () => {
  const fetchImage = createFetchImage(policy({ timeoutMs: 150 }));
  expect(await outcome(fetchImage(`http://${pictures.host}/to?url=${encodeURIComponent("/drip")}`))).toBe(
    unreachable("no whole answer within 150 ms (--fetch-timeout-ms)"),
  );
});

test("the HTTP status is part of the error, as a number", async () => {
  const detailOf = (path: string) =>
    createFetchImage(policy())(`http://${pictures.host}${path}`).then(
      () => "OK",
      (error: EmbedError) => error.detail,
    );
  expect(await detailOf("/missing")).toEqual({ httpStatus: 404 });
  expect(await detailOf("/busy")).toEqual({ httpStatus: 503 });
  expect(await detailOf("/nowhere")).toEqual({ httpStatus: 302 });
  expect(await detailOf("/gzip")).toBeUndefined();
  expect(await detailOf(`/to?url=${encodeURIComponent("/missing")}`)).toEqual({ httpStatus: 404 });
});

test("no redirect at all is followed if that is the limit", async () => {
  const fetchImage = createFetchImage(policy({ maxRedirects: 0 }));
  expect((await fetchImage(`http://${pictures.host}/picture`)).length).toBe(1000);
  expect(await outcome(fetchImage(`http://${pictures.host}/relative`))).toBe(
    unreachable("more than 0 redirects (--fetch-max-redirects)"),
  );
});

test("every fetch that began is reported once, with its time, bytes and outcome", async () => {
  const reports: FetchReport[] = [];
  const onFetched = (report: FetchReport) => void reports.push(report);
  const fetchImage = createFetchImage(policy(), { onFetched });
  const fetchShortly = createFetchImage(policy({ timeoutMs: 150 }), { onFetched });
  for (const path of ["/picture", "/missing"]) await outcome(fetchImage(`http://${pictures.host}${path}`));
  await outcome(fetchShortly(`http://${pictures.host}/hang`));
  await outcome(fetchImage("http://127.0.0.1:22/"));
  const ms = expect.any(Number);
  expect(reports).toEqual([
    { ms, bytes: 1000, outcome: "OK" },
    { ms, bytes: 0, outcome: "SOURCE_UNREACHABLE" },
    { ms, bytes: 0, outcome: "SOURCE_UNREACHABLE" },
  ]);
  expect(reports[2]!.ms).toBeGreaterThan(140);
});

test("an abort ends the call and drops the connection", async () => {
  const caller = new AbortController();
  const reached = new Promise<http.ServerResponse>((resolve) => {
    pictures.hung = resolve;
  });
  const pending = outcome(
    createFetchImage(policy())(`http://${pictures.host}/hang`, { signal: caller.signal }),
  );
  const response = await reached;
  caller.abort();
  expect(await pending).toBe("CANCELLED: the caller went away before the work was done");
  if (!response.destroyed) await once(response, "close");
  await allClosed();
});

test("an abort while the body comes, and a deadline of the caller's own, say which it was", async () => {
  const caller = new AbortController();
  const pending = outcome(
    createFetchImage(policy())(`http://${pictures.host}/drip`, { signal: caller.signal }),
  );
  setTimeout(() => caller.abort(), 50);
  expect(await pending).toBe("CANCELLED: the caller went away before the work was done");
  const signal = AbortSignal.timeout(50);
  expect(await outcome(createFetchImage(policy())(`http://${pictures.host}/drip`, { signal }))).toBe(
    "DEADLINE_EXCEEDED: the caller's deadline passed before the work was done",
  );
  expect(
    await outcome(
      createFetchImage(policy())(`http://${pictures.host}/picture`, { signal: AbortSignal.abort() }),
    ),
  ).toBe("CANCELLED: the caller went away before the work was done");
});

test("no more than maxConcurrent at once", async () => {
  const waiting: http.ServerResponse[] = [];
  let most = 0;
  pictures.hung = (response) => {
    waiting.push(response);
    most = Math.max(most, waiting.length);
    setTimeout(() => waiting.splice(waiting.indexOf(response), 1)[0]?.end("x"), 20);
  };
  const fetchImage = createFetchImage(policy({ maxConcurrent: 3 }));
  const all = await Promise.all(
    Array.from({ length: 10 }, () => outcome(fetchImage(`http://${pictures.host}/hang`))),
  );
  expect(all).toEqual(Array(10).fill("x"));
  expect(most).toBe(3);
});

test("an answer that is not HTTP, and TLS spoken to a plain port", async () => {
  const raw = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end("220 mail.example ESMTP\r\n"));
  });
  raw.listen(0, "127.0.0.1");
  await once(raw, "listening");
  const rawHost = `127.0.0.1:${(raw.address() as AddressInfo).port}`;
  const fetchImage = createFetchImage(policy({ allowHosts: [rawHost] }));
  expect(await outcome(fetchImage(`http://${rawHost}/`))).toBe(
    `SOURCE_UNREACHABLE: ${rawHost} could not be reached: its answer is not valid HTTP`,
  );
  expect(await outcome(fetchImage(`https://${rawHost}/`))).toMatch(
    new RegExp(`^SOURCE_UNREACHABLE: ${rawHost} could not be reached: TLS failed \\(\\w+\\)$`),
  );
  raw.close();
  await once(raw, "close");
  expect(await outcome(fetchImage(`http://${rawHost}/`))).toBe(
    `SOURCE_UNREACHABLE: ${rawHost} could not be reached: the connection was refused`,
  );
});
