import { expect, test } from "vitest";
import { toListenError } from "./listen-error.ts";

const choose = "choose another with --listen HOST:PORT or the environment variable OP_ENDPOINT";

// Root may listen anywhere, so a test with a real socket cannot count on EACCES.
test("a forbidden port names the sysctl", () => {
  const cause = Object.assign(new Error("listen EACCES"), { code: "EACCES" });
  const error = toListenError(cause, { host: undefined, port: 80 });
  expect(error).toMatchObject({
    reason: "CONFIG_INVALID",
    message: `this user may not listen on port 80 of all interfaces: lower the sysctl net.ipv4.ip_unprivileged_port_start to 80 or less, or ${choose}`,
    cause,
  });
});

test("any other failure names its code", () => {
  const cause = Object.assign(new Error("listen EMFILE"), { code: "EMFILE" });
  const error = toListenError(cause, { host: "127.0.0.1", port: 52001 });
  expect(error.message).toBe(`cannot listen on port 52001 of 127.0.0.1 (EMFILE); ${choose}`);
});
