import { describe, expect, test } from "vitest";
import { freePort, silentPort } from "../../../tools/loopback-port.ts";
import { register, registerFailureOf, usePhantoscope } from "../../../tools/use-phantoscope.ts";

const { phantoscope, operator, close } = usePhantoscope();

describe("with Phantoscope 0.1", () => {
  test("the operator that its endpoint names is registered, dialled and found healthy", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = await operator();
    const registration = await register({ phantoscope: server.url, endpoint });
    const answer = {
      _name: "vgg19",
      _backend: "vgg19",
      _type: "encoder",
      _input: "image",
      _output: "vector",
      _endpoint: endpoint,
      _metric_type: "L2",
      _dimension: 512,
    };
    expect(registration).toMatchObject({
      api: "v0.1",
      url: server.url,
      name: "vgg19",
      target: endpoint,
      identity: { type: "encoder", dimension: "512" },
      health: "healthy",
      warnings: [
        `${endpoint} is right only if Phantoscope runs on this machine and in no container: there it is the container itself`,
      ],
      shortfalls: [],
    });
    expect(JSON.parse(registration.answer)).toEqual(answer);
    expect(server.operators.get("vgg19")).toEqual(answer);
    expect(server.requests).toEqual([
      "OPTIONS /v1/operator/regist",
      `POST /v1/operator/regist {"endpoint":"${endpoint}","name":"vgg19"}`,
      "GET /v1/operator/vgg19/health",
    ]);
  });

  test("the API is not asked for if it is named, and a slash at the end does no harm", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = await operator({ type: "processor", dimension: "-1", metricType: "-1" });
    await register({ phantoscope: `${server.url}/`, endpoint, api: "v0.1", name: "cut.1" });
    expect(server.requests[0]).toBe(`POST /v1/operator/regist {"endpoint":"${endpoint}","name":"cut.1"}`);
  });

  test("a name that is taken is told with its endpoint", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const [endpoint, other] = [await operator(), await operator()];
    await register({ phantoscope: server.url, endpoint });
    const mending = "choose another --name, or delete it: curl -X DELETE PHANTOSCOPE/v1/operator/vgg19";
    await expect(registerFailureOf({ phantoscope: server.url, endpoint })).resolves.toBe(
      `REQUEST_INVALID: Phantoscope (API v0.1) has an operator vgg19 already, with this endpoint: if nothing has changed, all is done; ${mending}`,
    );
    await expect(registerFailureOf({ phantoscope: server.url, endpoint: other })).resolves.toBe(
      `REQUEST_INVALID: Phantoscope (API v0.1) has an operator vgg19 already, with the endpoint ${endpoint}; ${mending}`,
    );
  });

  test("an operator that Phantoscope does not reach is told as that", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = `127.0.0.1:${await freePort()}`;
    const options = { phantoscope: server.url, endpoint, check: false, name: "far" };
    await expect(registerFailureOf(options)).resolves.toBe(
      "REQUEST_INVALID: Phantoscope at PHANTOSCOPE could not register far: Phantoscope most likely does not reach ENDPOINT. It dials it from where it runs, often a container, in plaintext gRPC: the address must be right there, no firewall between, no TLS; its log says why",
    );
    const down = await phantoscope({ api: "v0.1", databaseFails: true });
    await expect(registerFailureOf({ phantoscope: down.url, endpoint: await operator() })).resolves.toContain(
      "could not register vgg19: this machine reaches it, Phantoscope most likely does not reach ENDPOINT",
    );
  });

  test("an operator that never answers Phantoscope costs it its worker", async () => {
    const server = await phantoscope({ api: "v0.1", workerTimeoutMs: 300 });
    const { listener, port } = await silentPort();
    close(() => listener.close());
    const options = { phantoscope: server.url, endpoint: `127.0.0.1:${port}`, check: false, name: "mute" };
    await expect(registerFailureOf(options)).resolves.toBe(
      "SERVER_UNREACHABLE: cannot reach Phantoscope at PHANTOSCOPE: it closed the connection without an answer; Phantoscope's server does that after 30 s, mostly because the operator takes its call and never answers",
    );
  });

  test("an Identity with another endpoint is told before, and after without the check", async () => {
    const server = await phantoscope({ api: "v0.1" });
    const endpoint = await operator({ endpoint: "192.0.2.85" });
    const text = `the operator says that its endpoint is 192.0.2.85, and that is the one which Phantoscope (API v0.1) keeps and dials, not --endpoint ${endpoint}; start it with OP_ENDPOINT=${endpoint}`;
    await expect(register({ phantoscope: server.url, endpoint })).rejects.toMatchObject({
      reason: "CONFIG_INVALID",
      message: text,
    });
    expect(server.operators.size).toBe(0);

    const twin = await operator({ endpoint: `localhost:${await freePort()}` });
    const { shortfalls, health } = await register({
      phantoscope: server.url,
      endpoint: twin,
      check: false,
      name: "twin",
    });
    expect(shortfalls).toEqual([
      expect.stringMatching(
        /^the operator says that its endpoint is localhost:\d+, .*, delete it \(curl -X DELETE http:\/\/127\.0\.0\.1:\d+\/v1\/operator\/twin\) and register it again$/,
      ),
      'registered, but Phantoscope gets no "healthy" from it (HTTP 500): is it ready, and reachable from where Phantoscope runs?',
    ]);
    expect(health).toBe("HTTP 500");
  });

  test.each([
    [
      "0.0.0.0:52001",
      "http://10.0.0.7:5000",
      "--endpoint: 0.0.0.0:52001 is an address to listen on, not one to dial; give the machine's own address, as Phantoscope reaches it",
    ],
    [
      "localhost:52001",
      "http://10.0.0.7:5000",
      "--endpoint: localhost:52001 would be Phantoscope's own machine when Phantoscope at 10.0.0.7 dials it; give this machine's address in its network",
    ],
    [
      undefined,
      "http://10.0.0.7:5000",
      "--endpoint: expected HOST:PORT, where Phantoscope (API v0.1) reaches the running operator, got none",
    ],
  ])("the endpoint %s makes no sense to %s, which is not asked", async (endpoint, url, message) => {
    const options = { phantoscope: url, api: "v0.1" as const, ...(endpoint && { endpoint }) };
    await expect(register(options)).rejects.toMatchObject({ reason: "CONFIG_INVALID", message });
  });
});

describe("with Phantoscope's master", () => {
  test("an image is registered, with what a running operator says of itself", async () => {
    const server = await phantoscope({ api: "master" });
    const endpoint = await operator();
    const registration = await register({
      phantoscope: server.url,
      endpoint,
      image: "registry.example/portico:1",
    });
    expect(registration).toMatchObject({
      api: "master",
      name: "vgg19",
      target: "registry.example/portico:1",
    });
    expect(registration.health).toBeUndefined();
    expect(server.requests).toEqual([
      "OPTIONS /v1/operator/regist",
      "OPTIONS /v1/operator/register",
      'POST /v1/operator/register {"name":"vgg19","addr":"registry.example/portico:1","author":"","type":"encoder","description":"encoder, image to vector, dimension 512, metric L2","version":"1.2"}',
    ]);
  });

  test("without one, its name and kind are given", async () => {
    const server = await phantoscope({ api: "master" });
    const options = { phantoscope: server.url, image: "portico" };
    await expect(registerFailureOf(options)).resolves.toBe(
      "CONFIG_INVALID: --name: expected one, since no operator is asked for its own",
    );
    await register({ ...options, name: "preview", type: "processor", author: "me", description: "a crop" });
    expect(server.operators.get("preview")).toMatchObject({
      addr: "portico",
      type: "processor",
      author: "me",
      description: "a crop",
      version: "1.2",
    });
    await expect(registerFailureOf({ ...options, name: "preview" })).resolves.toBe(
      "REQUEST_INVALID: Phantoscope (API master) has an operator preview already; choose another --name, or delete it: curl -X DELETE PHANTOSCOPE/v1/operator/preview",
    );
  });

  test.each([
    [undefined, "none"],
    ["10.0.0.8:52001", "10.0.0.8:52001"],
  ])("the image %s is none", async (image, got) => {
    const server = await phantoscope({ api: "master" });
    await expect(
      registerFailureOf({ phantoscope: server.url, name: "a", ...(image && { image }) }),
    ).resolves.toBe(
      `CONFIG_INVALID: --image: expected the operator's container image, which Phantoscope (API master) starts itself, got ${got}`,
    );
  });

  test("its own failure is told", async () => {
    const server = await phantoscope({ api: "master", databaseFails: true });
    await expect(registerFailureOf({ phantoscope: server.url, name: "a", image: "portico" })).resolves.toBe(
      "REQUEST_INVALID: Phantoscope at PHANTOSCOPE failed (HTTP 500); its log says why, and its database may be down. Its answer: messageerror",
    );
  });
});

test.each([
  { has: "v0.1" as const, asked: "master" as const },
  { has: "master" as const, asked: "v0.1" as const },
])("--api $asked is refused by $has", async ({ has, asked }) => {
  const server = await phantoscope({ api: has });
  const options = { phantoscope: server.url, endpoint: await operator(), api: asked, image: "portico" };
  await expect(registerFailureOf(options)).resolves.toBe(
    `REQUEST_INVALID: Phantoscope at PHANTOSCOPE does not have the API ${asked} (HTTP 405): leave --api out, or try --api ${has}`,
  );
});
