import { readFileSync, writeFileSync } from "node:fs";

const file = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
const devices = "/proc/self/net/dev";

/**
 * The lowest port that anybody may listen on, in this network namespace. Docker sets 0 in each container's, Linux has 1024.
 * @throws Error where the network is not one of loopback alone: it would be the machine's own
 */
export function setUnprivilegedPortStart(port: number): void {
  const others = readFileSync(devices, "utf8").match(/^ *(?!lo:)\w+(?=:)/gm);
  if (others) throw new Error(`expected a network of loopback alone, got ${others.join()}`);
  writeFileSync(file, String(port));
}
