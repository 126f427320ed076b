import { showText } from "../show-text.ts";
import type { PhantoscopeApi } from "./phantoscope-api.ts";
import type { HttpAnswer } from "./phantoscope-client.ts";

/** The object of a JSON answer; undefined if it is something else. */
export function readObject({ type, text }: HttpAnswer): Readonly<Record<string, unknown>> | undefined {
  if (type !== "application/json") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // Some of its failures are no JSON although they say so; the caller shows the text.
    return undefined;
  }
}

/** A server that is not Phantoscope, or one whose Phantoscope is elsewhere: what it answered and what to look at. */
export function describeStranger(url: string, answer: HttpAnswer): string {
  const { status, type, location } = answer;
  const got = `expected Phantoscope at ${url}, got HTTP ${status}`;
  if (location !== undefined && status >= 300 && status < 400) {
    return `${got}, a redirect to ${showText(location)}; give that address, if it is Phantoscope's`;
  }
  if (status === 401 || status === 403) return `${got}: something before it asks for credentials; go past it`;
  if (status === 404) return `${got}; mend host, port (its API has 5000) or path`;
  if (status >= 502 && status <= 504) {
    return `${got}: a proxy answers, but not Phantoscope behind it; is it up? ${quote(answer)}`;
  }
  if (type === "text/html") return `${got} and a page of HTML; mend host and port (its API has 5000)`;
  return `${got}; mend host and port (its API has 5000). ${quote(answer)}`;
}

export function quote({ text }: HttpAnswer): string {
  const shown = showText(text);
  return shown === "" ? "Its answer was empty" : `Its answer: ${shown}`;
}

export interface Refusal {
  readonly url: string;
  readonly api: PhantoscopeApi;
  readonly name: string;
  /** What was registered: the endpoint of v0.1, the image of master. */
  readonly target: string;
  readonly answer: HttpAnswer;
  /** Of v0.1: what Phantoscope has under this name, as it answered when asked afterwards. */
  readonly known?: HttpAnswer;
  /** Whether this machine has dialled the operator just before. */
  readonly wasChecked: boolean;
}

/** Why a registration was not taken, and how to mend it, in one line. */
export function describeRefusal(refusal: Refusal): string {
  const { url, api, name, answer } = refusal;
  const body = readObject(answer);
  if (answer.status === 405) {
    const other = api === "v0.1" ? "master" : "v0.1";
    return `Phantoscope at ${url} does not have the API ${api} (HTTP 405): leave --api out, or try --api ${other}`;
  }
  if (body?.error === "ExistError") return describeTaken(refusal, undefined);
  if (body?.error === "OperatorRegistError") return describeRegistError(refusal);
  if (answer.status === 400 && body) {
    return `Phantoscope at ${url} took the request for ${name} for malformed (HTTP 400): is it of another version? ${quote(answer)}`;
  }
  // Master sends the names of the fields instead of JSON when its database fails: json_response of common/common.py.
  if (
    answer.status === 500 &&
    (answer.type === "application/json" || /internal server error/i.test(answer.text))
  ) {
    return `Phantoscope at ${url} failed (HTTP 500); its log says why, and its database may be down. ${quote(answer)}`;
  }
  return describeStranger(url, answer);
}

/** v0.1 has one answer for an operator that it cannot reach and for a name that is taken, so it was asked for the name. */
function describeRegistError(refusal: Refusal): string {
  const { url, name, target, known, wasChecked } = refusal;
  if (known?.status === 200) return describeTaken(refusal, readObject(known)?._endpoint);
  if (known?.status !== 404) {
    return `Phantoscope at ${url} could not register ${name}, nor look it up; its log says why, and its database may be down. ${quote(refusal.answer)}`;
  }
  const reached = wasChecked ? "this machine reaches it, " : "";
  return `Phantoscope at ${url} could not register ${name}: ${reached}Phantoscope most likely does not reach ${target}. It dials it from where it runs, often a container, in plaintext gRPC: the address must be right there, no firewall between, no TLS; its log says why`;
}

function describeTaken({ url, api, name, target }: Refusal, endpoint: unknown): string {
  const same = endpoint === target ? `, with this endpoint: if nothing has changed, all is done` : "";
  const other =
    typeof endpoint === "string" && endpoint !== target ? `, with the endpoint ${showText(endpoint)}` : "";
  const at = `${url}/v1/operator/${encodeURIComponent(name)}`;
  return `Phantoscope (API ${api}) has an operator ${name} already${same}${other}; choose another --name, or delete it: curl -X DELETE ${at}`;
}
