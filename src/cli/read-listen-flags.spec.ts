import { expect, test } from "vitest";
import { type ListenFlags, readListenFlags } from "./read-listen-flags.ts";

test.each<[string, string[], ListenFlags]>([
  ["none", ["node", "portico.js", "serve", ""], { listen: undefined, tls: false }],
  ["a value apart", ["serve", "--listen", "*:8080", ""], { listen: "*:8080", tls: false }],
  ["a value after =", ["serve", "--listen=[::]:8080"], { listen: "[::]:8080", tls: false }],
  ["twice", ["serve", "--listen", "*:1", "--listen=*:2"], { listen: "*:2", tls: false }],
  ["no value", ["serve", "--listen"], { listen: undefined, tls: false }],
  ["TLS", ["serve", "--tls-cert", "a.pem", "--tls-key=b.pem"], { listen: undefined, tls: true }],
  [
    "behind an init process",
    ["/sbin/docker-init", "--", "node", "p.js", "serve", "--listen=*:7"],
    {
      listen: "*:7",
      tls: false,
    },
  ],
  ["flags that begin alike", ["serve", "--listening", "*:1"], { listen: undefined, tls: false }],
])("%s", (_, args, expected) => {
  expect(readListenFlags(args)).toEqual(expected);
});
