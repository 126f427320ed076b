import { spawnSync } from "node:child_process";
import { requireTool, skipFor } from "./require-tool.ts";

const isRoot = process.getuid?.() === 0;

/**
 * What starts a program without the rights that root has over files, for `runPortico`; nothing where this user has none.
 * Not another user's number: that user might not read the repository.
 */
export function withoutFileRights(): readonly string[] | undefined {
  if (!isRoot) return [];
  const setpriv = requireTool("setpriv");
  return setpriv === undefined ? undefined : [setpriv, "--bounding-set=-dac_override,-dac_read_search"];
}

/**
 * What starts a program in a network of its own, where ports below 1024 are for those with the right to them, and
 * without that right.
 * @param settings a line of shell for that network
 */
export function inOwnNetwork(settings = ":"): readonly string[] | undefined {
  if (!isRoot) return skipFor("root", "the user of this process");
  const [unshare, setpriv] = [requireTool("unshare"), requireTool("setpriv")];
  if (!unshare || !setpriv) return undefined;
  if (spawnSync(unshare, ["--net", "sh", "-c", settings]).status !== 0) {
    return skipFor("unshare --net", "allowed to this process");
  }
  const script = `${settings} && exec "$@"`;
  return [unshare, "--net", "sh", "-c", script, "sh", setpriv, "--bounding-set=-net_bind_service"];
}

/** What starts a program as the first process of a container's system, with the number 1. */
export function asFirstProcess(): readonly string[] | undefined {
  if (!isRoot) return skipFor("root", "the user of this process");
  const unshare = requireTool("unshare");
  if (!unshare) return undefined;
  const args = ["--fork", "--pid", "--mount-proc", "--kill-child"];
  if (spawnSync(unshare, [...args, "true"]).status !== 0) {
    return skipFor("unshare --pid", "allowed to this process");
  }
  return [unshare, ...args];
}
