import { EmbedError } from "../../errors.ts";
import { describeStranger } from "./describe-refusal.ts";
import type { PhantoscopeClient } from "./phantoscope-client.ts";

/**
 * The two registrations that Phantoscope has had. v0.1 takes the endpoint of an operator that runs, dials it and
 * keeps what its Identity says. v0.2 and master take a container image and start operators themselves.
 */
export const phantoscopeApis = ["v0.1", "master"] as const;

export type PhantoscopeApi = (typeof phantoscopeApis)[number];

/** Phantoscope's search/operators/operators_api.py, below `/v1/operator` of service/api.py. */
export const registrationPaths: Readonly<Record<PhantoscopeApi, string>> = {
  "v0.1": "/v1/operator/regist",
  master: "/v1/operator/register",
};

/**
 * Longer than the 30 s after which Phantoscope's server (gunicorn) gives up a request by itself, so that its end and
 * ours can be told apart.
 */
export const defaultAnswerTimeoutMs = 40_000;

export const operatorPath = (name: string): string => `/v1/operator/${encodeURIComponent(name)}`;

/**
 * Asks which registration is there, without registering anything: Flask answers OPTIONS itself, with the methods of
 * every route that matches. Both paths match `/v1/operator/<name>` too (GET and DELETE), so POST tells.
 * @throws EmbedError `SERVER_UNREACHABLE` if there is none of them
 */
export async function detectApi(client: PhantoscopeClient): Promise<PhantoscopeApi> {
  for (const api of phantoscopeApis) {
    const answer = await client.ask("OPTIONS", registrationPaths[api]);
    if (answer.allow.includes("POST")) return api;
    if (answer.status !== 200 || answer.allow.length === 0) {
      throw new EmbedError("SERVER_UNREACHABLE", describeStranger(client.url, answer));
    }
  }
  throw new EmbedError(
    "SERVER_UNREACHABLE",
    `expected Phantoscope at ${client.url}, got a server that registers no operators; --api v0.1 or --api master tries nevertheless`,
  );
}
