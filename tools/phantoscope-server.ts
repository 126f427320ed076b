import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";

/**
 * The registration of Phantoscope as its source has it, for tests: search/operators/operators_api.py and operator.py
 * of v0.1.0 and of master (37b948af), with the answers of search/common/common.py and error.py, and of Flask 1.1.1
 * where Flask answers itself. Both were run and asked on 2026-11-22, with SQLite and a MongoDB in memory.
 */
export interface PhantoscopeServer {
  readonly url: string;
  /** Method, path and body of every request so far. */
  readonly requests: readonly string[];
  /** What is registered, by name. */
  readonly operators: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

export interface PhantoscopeServerOptions {
  readonly api: "v0.1" | "master";
  /** gunicorn's: a request that takes longer loses its connection. */
  readonly workerTimeoutMs?: number;
  /** Whether its database is down. */
  readonly databaseFails?: boolean;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly allow?: string;
}

export async function startPhantoscopeServer(options: PhantoscopeServerOptions): Promise<PhantoscopeServer> {
  const requests: string[] = [];
  const operators = new Map<string, Record<string, unknown>>();
  const server = createServer((request, response) => {
    const timer = setTimeout(() => response.destroy(), options.workerTimeoutMs ?? 30_000);
    void respond(request, response, options, requests, operators).finally(() => clearTimeout(timer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    operators,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: PhantoscopeServerOptions,
  requests: string[],
  operators: Map<string, Record<string, unknown>>,
): Promise<void> {
  const body = await text(request);
  requests.push(`${request.method} ${request.url} ${body}`.trim());
  const answer = await route(request, body, options, operators);
  response.writeHead(answer.status, {
    "content-type": answer.type,
    ...(answer.allow !== undefined && { allow: answer.allow }),
  });
  response.end(answer.body);
}

async function route(
  request: IncomingMessage,
  body: string,
  options: PhantoscopeServerOptions,
  operators: Map<string, Record<string, unknown>>,
): Promise<Answer> {
  const { method = "", url = "" } = request;
  const [, of, instance] = /^\/v1\/operator\/([^/]+)\/instances\/([^/]+)$/.exec(url) ?? [];
  if (of !== undefined && options.api === "master")
    return startInstance(method, of, instance as string, operators);
  const [, name, health] = /^\/v1\/operator\/([^/]+)(\/health)?$/.exec(url) ?? [];
  const isHealth = health !== undefined && options.api === "v0.1";
  if (name === undefined || (health !== undefined && !isHealth)) return flaskError(404, "Not Found");
  const registers = !isHealth && name === (options.api === "v0.1" ? "regist" : "register");
  const methods = ["GET", "HEAD", "OPTIONS", ...(isHealth ? [] : ["DELETE"]), ...(registers ? ["POST"] : [])];
  if (method === "OPTIONS") return { status: 200, type: "text/html", body: "", allow: methods.join(", ") };
  if (!methods.includes(method)) return flaskError(405, "Method Not Allowed", methods.join(", "));
  if (method === "POST") {
    const isJson = request.headers["content-type"] === "application/json";
    return options.api === "v0.1"
      ? registV01(isJson ? body : "", options, operators)
      : registerMaster(isJson ? body : "", options, operators);
  }
  const known = operators.get(decodeURIComponent(name));
  if (known === undefined) return failure(404, "NotExistError", `operator ${name} not exist`);
  if (method === "DELETE") operators.delete(name);
  return isHealth ? healthOf(String(known._endpoint)) : json(200, known);
}

/** regist_operators: Identity is dialled, and what it says is kept, its endpoint too. */
async function registV01(
  body: string,
  options: PhantoscopeServerOptions,
  operators: Map<string, Record<string, unknown>>,
): Promise<Answer> {
  const fields = parseFields(body, ["endpoint", "name"]);
  if (fields === undefined) return badRequest();
  const { endpoint, name } = fields as { endpoint: string; name: string };
  try {
    const identity = await clientOf(endpoint).identity({});
    if (operators.has(name) || options.databaseFails) throw new Error("Insert operator to sql error");
    const operator = {
      _name: name,
      _backend: identity.name,
      _type: identity.type,
      _input: identity.input,
      _output: identity.output,
      _endpoint: identity.endpoint,
      _metric_type: identity.metricType,
      _dimension: Number.parseInt(identity.dimension, 10),
    };
    operators.set(name, operator);
    return json(200, operator);
  } catch {
    // Whatever failed, this is all that its callers learn.
    return failure(503, "OperatorRegistError", `opeartor ${name} regist error`);
  }
}

/** register_operators: nothing is dialled. */
function registerMaster(
  body: string,
  options: PhantoscopeServerOptions,
  operators: Map<string, Record<string, unknown>>,
): Answer {
  const fields = parseFields(body, ["name", "addr", "author", "type", "description", "version"]);
  if (fields === undefined) return badRequest();
  // An exception without `name`: Flask gets a dict for a body and sends its keys.
  if (options.databaseFails) return { status: 500, type: "application/json", body: "messageerror" };
  const name = fields.name as string;
  if (operators.has(name)) return failure(400, "ExistError", `operator ${name} had exist`);
  const metadata = {
    id: "1",
    create_time: "2026-11-22 12:00:00",
    resource_type: "Operator",
    state: "created",
  };
  const operator = { ...fields, runtime_client: "docker", metadata };
  operators.set(name, operator);
  return json(200, operator);
}

/** create_operator_instance_api, without the Docker that would run the image. */
function startInstance(
  method: string,
  name: string,
  instance: string,
  operators: ReadonlyMap<string, Readonly<Record<string, unknown>>>,
): Answer {
  if (method !== "POST") return flaskError(405, "Method Not Allowed", "POST, DELETE, OPTIONS");
  if (!operators.has(name)) return failure(404, "NotExistError", `operator ${name} not exist`);
  const container = { id: "0", name: `phantoscope_${name}_${instance}`, status: "created" };
  return json(200, { ...container, ports: {}, ip: "172.18.0.2", endpoint: "172.18.0.2:80" });
}

/** operator_health: Healthy is dialled. An error of gRPC has a method `code`, which Flask cannot take for a status. */
async function healthOf(endpoint: string): Promise<Answer> {
  try {
    const { healthy } = await clientOf(endpoint).healthy({});
    return { status: 200, type: "application/json", body: healthy };
  } catch {
    // Its traceback goes to the log only.
    return flaskError(500, "Internal Server Error");
  }
}

/** flask_restful's reqparse with required=True and type=str; undefined if one is missing. */
function parseFields(body: string, names: readonly string[]): Record<string, string> | undefined {
  let values: Record<string, unknown>;
  try {
    values = JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const entries = names.map((name) => [name, values[name]] as const);
  if (entries.some(([, value]) => value === undefined || value === null)) return undefined;
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

const clientOf = (endpoint: string) =>
  createClient(Operator, createGrpcTransport({ baseUrl: `http://${endpoint}` }));

const json = (status: number, value: object): Answer => ({
  status,
  type: "application/json",
  body: JSON.stringify(value),
});

const failure = (status: number, error: string, message: string) => json(status, { message, error });

const badRequest = () =>
  failure(400, "Bad Request", "The browser (or proxy) sent a request that this server could not understand.");

const flaskError = (status: number, title: string, allow?: string): Answer => ({
  status,
  type: "text/html",
  body: `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>${status} ${title}</title>\n`,
  ...(allow !== undefined && { allow }),
});
