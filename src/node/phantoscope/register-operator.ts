import { EmbedError } from "../../errors.ts";
import { showText } from "../show-text.ts";
import { describeRefusal, type Refusal, readObject } from "./describe-refusal.ts";
import { dialOperator, type OperatorIdentity } from "./dial-operator.ts";
import { type EndpointAddress, isLoopback, isUnspecified, parseEndpoint } from "./endpoint-address.ts";
import { detectApi, operatorPath, type PhantoscopeApi, registrationPaths } from "./phantoscope-api.ts";
import { createPhantoscopeClient, type PhantoscopeClient } from "./phantoscope-client.ts";

/** What `registerOperator` is asked for. */
export interface RegisterOptions {
  /** Of Phantoscope's API, for example http://10.0.0.7:5000. */
  readonly phantoscope: string;
  /** Asked for if undefined. */
  readonly api?: PhantoscopeApi;
  /** The name in Phantoscope; that of the operator's Identity by default. */
  readonly name?: string;
  /** Where the operator listens. v0.1: as Phantoscope reaches it. master: from here, to ask it what it is. */
  readonly endpoint?: string;
  /** Of master: the container image that Phantoscope starts. */
  readonly image?: string;
  /** Of master: what kind of operator it is, if it is not asked. */
  readonly type: "encoder" | "processor";
  /** Of master: what Identity does not say. */
  readonly author: string;
  readonly description?: string;
  readonly operatorVersion: string;
  /** Whether the operator is dialled from here first. */
  readonly check: boolean;
  /** For each answer of Phantoscope. */
  readonly timeoutMs: number;
}

/** What became of it. */
export interface Registration {
  readonly api: PhantoscopeApi;
  readonly url: string;
  readonly name: string;
  /** The endpoint that was registered, or the image. */
  readonly target: string;
  readonly identity?: OperatorIdentity;
  /** Phantoscope's answer in one line. */
  readonly answer: string;
  /** Of v0.1: what Phantoscope says of the operator's health, having dialled it. */
  readonly health?: string;
  /** Right as it stands, but worth a look. */
  readonly warnings: readonly string[];
  /** Registered, but it will not work so. */
  readonly shortfalls: readonly string[];
}

/**
 * Registers an operator with Phantoscope.
 * @throws EmbedError whose message says in one line what failed and how to mend it
 */
export async function registerOperator(options: RegisterOptions): Promise<Registration> {
  if (options.name !== undefined) checkName(options.name, "--name");
  const client = createPhantoscopeClient(options.phantoscope, options.timeoutMs);
  try {
    const endpoint =
      options.endpoint === undefined ? undefined : parseEndpoint(options.endpoint, "--endpoint");
    const api = options.api ?? (await detectApi(client));
    return api === "v0.1"
      ? await registerEndpoint(client, endpoint, options)
      : await registerImage(client, endpoint, options);
  } finally {
    await client.close();
  }
}

/** Phantoscope's v0.1: a column of 80 characters; both: a part of the paths of its API. */
function checkName(name: string, setting: string): void {
  if (/^[\w.-]{1,80}$/.test(name)) return;
  throw new EmbedError(
    "CONFIG_INVALID",
    `${setting}: expected 1 to 80 letters, digits, "_", "-" or ".", got "${showText(name)}"`,
  );
}

function nameOf({ name }: RegisterOptions, identity: OperatorIdentity | undefined): string {
  if (name !== undefined) return name;
  if (identity === undefined) {
    throw new EmbedError("CONFIG_INVALID", "--name: expected one, since no operator is asked for its own");
  }
  checkName(identity.name, "the operator's own name, which --name would replace");
  return identity.name;
}

/** v0.1 (search/operators/operator.py, regist_operators): Phantoscope dials Identity, and keeps what that says. */
async function registerEndpoint(
  client: PhantoscopeClient,
  endpoint: EndpointAddress | undefined,
  options: RegisterOptions,
): Promise<Registration> {
  if (endpoint === undefined) {
    const image = options.image === undefined ? "" : "; --image is for the API master";
    throw new EmbedError(
      "CONFIG_INVALID",
      `--endpoint: expected HOST:PORT, where Phantoscope (API v0.1) reaches the running operator, got none${image}`,
    );
  }
  const warnings = checkReachable(endpoint, client.host);
  const identity = options.check ? await dialOperator(endpoint) : undefined;
  if (identity && identity.endpoint !== endpoint.text) {
    throw new EmbedError("CONFIG_INVALID", describeOtherEndpoint(identity.endpoint, endpoint.text));
  }
  const name = nameOf(options, identity);
  const target = endpoint.text;
  const answer = await client.ask("POST", registrationPaths["v0.1"], { endpoint: target, name });
  const body = readObject(answer);
  if (answer.status !== 200 || typeof body?._name !== "string") {
    // Asked only now: v0.1's answer does not say whether the name is taken.
    const known = answer.status === 503 ? await client.ask("GET", operatorPath(name)) : undefined;
    const wasChecked = options.check;
    throw refused({
      url: client.url,
      api: "v0.1",
      name,
      target,
      answer,
      wasChecked,
      ...(known && { known }),
    });
  }
  const shortfalls: string[] = [];
  if (body._endpoint !== target) {
    const again = `delete it (curl -X DELETE ${client.url}${operatorPath(name)}) and register it again`;
    shortfalls.push(`${describeOtherEndpoint(String(body._endpoint), target)}, ${again}`);
  }
  const health = await client.ask("GET", `${operatorPath(name)}/health`);
  if (health.status !== 200 || health.text !== "healthy") {
    shortfalls.push(
      `registered, but Phantoscope gets no "healthy" from it (HTTP ${health.status}): is it ready, and reachable from where Phantoscope runs?`,
    );
  }
  return {
    api: "v0.1",
    url: client.url,
    name,
    target,
    ...(identity && { identity }),
    answer: showText(answer.text, 2_000),
    health: health.status === 200 ? showText(health.text) : `HTTP ${health.status}`,
    warnings,
    shortfalls,
  };
}

function describeOtherEndpoint(own: string, given: string): string {
  return `the operator says that its endpoint is ${showText(own) || "(empty)"}, and that is the one which Phantoscope (API v0.1) keeps and dials, not --endpoint ${given}; start it with OP_ENDPOINT=${given}`;
}

/** @returns warnings */
function checkReachable({ text, host }: EndpointAddress, phantoscopeHost: string): string[] {
  if (isUnspecified(host)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--endpoint: ${text} is an address to listen on, not one to dial; give the machine's own address, as Phantoscope reaches it`,
    );
  }
  if (!isLoopback(host)) return [];
  if (!isLoopback(phantoscopeHost)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--endpoint: ${text} would be Phantoscope's own machine when Phantoscope at ${phantoscopeHost} dials it; give this machine's address in its network`,
    );
  }
  return [
    `${text} is right only if Phantoscope runs on this machine and in no container: there it is the container itself`,
  ];
}

/** v0.2 and master (search/operators/operator.py, register_operators): a container image; nothing is dialled or started yet. */
async function registerImage(
  client: PhantoscopeClient,
  endpoint: EndpointAddress | undefined,
  options: RegisterOptions,
): Promise<Registration> {
  const { image } = options;
  if (image === undefined || /^(\d+\.){3}\d+(:\d+)?$/.test(image)) {
    throw new EmbedError(
      "CONFIG_INVALID",
      `--image: expected the operator's container image, which Phantoscope (API master) starts itself, got ${image ?? "none"}`,
    );
  }
  const identity = endpoint && options.check ? await dialOperator(endpoint) : undefined;
  const name = nameOf(options, identity);
  const answer = await client.ask("POST", registrationPaths.master, {
    name,
    addr: image,
    author: options.author,
    type: identity?.type ?? options.type,
    description: options.description ?? (identity ? describeIdentity(identity) : ""),
    version: options.operatorVersion,
  });
  if (answer.status !== 200 || typeof readObject(answer)?.name !== "string") {
    throw refused({ url: client.url, api: "master", name, target: image, answer, wasChecked: options.check });
  }
  return {
    api: "master",
    url: client.url,
    name,
    target: image,
    ...(identity && { identity }),
    answer: showText(answer.text, 2_000),
    warnings: [],
    shortfalls: [],
  };
}

/** "encoder, image to vector, dimension 2048, metric L2". */
export function describeIdentity({ type, input, output, dimension, metricType }: OperatorIdentity): string {
  const numbers = type === "encoder" ? `, dimension ${dimension}, metric ${metricType}` : "";
  return showText(`${type}, ${input} to ${output}${numbers}`);
}

/** Not CONFIG_INVALID: the settings make sense, but Phantoscope did not do it. */
function refused(refusal: Refusal): EmbedError {
  return new EmbedError("REQUEST_INVALID", describeRefusal(refusal));
}
