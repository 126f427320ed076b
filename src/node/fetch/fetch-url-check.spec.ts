import { describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { defaultFetchPolicy, type FetchMode, toFetchRules } from "./fetch-policy.ts";
import { checkUrl } from "./fetch-url-check.ts";

function outcome(
  text: string,
  mode: FetchMode = "public",
  allowHosts: readonly string[] = [],
  allowPrivate = false,
): string {
  try {
    return checkUrl(text, toFetchRules({ ...defaultFetchPolicy, mode, allowHosts, allowPrivate })).href;
  } catch (error) {
    if (error instanceof EmbedError) return `${error.reason}: ${error.message}`;
    throw error;
  }
}

const notPublic = (address: string, why: string) =>
  `SOURCE_FORBIDDEN: expected a public address (--allow-hosts names exceptions), got ${address} (${why})`;
const scheme = (name: string) => `SOURCE_FORBIDDEN: expected an http or https URL, got the scheme "${name}"`;
const credentials =
  "SOURCE_FORBIDDEN: expected a URL without credentials, got one with a user name or password";
const port = (got: number) =>
  `SOURCE_FORBIDDEN: expected port 80, 443 or one above 1023 (--allow-hosts names exceptions), got ${got}`;
const noUrl = "SOURCE_INVALID: expected an http or https URL, got a text that is no URL";
const dataUri =
  "SOURCE_INVALID: expected an http or https URL, got a data URI; send the picture's bytes instead";
const metadata = "cloud metadata service";

/** Ways to write an address or a URL that a stranger must not get fetched. */
const hostile: readonly [url: string, answer: string][] = [
  ["http://127.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127.255.255.254/", notPublic("127.255.255.254", "loopback")],
  ["http://2130706433/", notPublic("127.0.0.1", "loopback")],
  ["http://0x7f000001/", notPublic("127.0.0.1", "loopback")],
  ["http://0x7F.0x0.0x0.0x1/", notPublic("127.0.0.1", "loopback")],
  ["http://017700000001/", notPublic("127.0.0.1", "loopback")],
  ["http://0177.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127.0.0.1./", notPublic("127.0.0.1", "loopback")],
  ["http://0x7f.1/", notPublic("127.0.0.1", "loopback")],
  ["http://%31%32%37.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://①②⑦.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127。0。0。1/", notPublic("127.0.0.1", "loopback")],
  ["http://１２７.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127．0．0．1/", notPublic("127.0.0.1", "loopback")],
  ["http://0x7f。1/", notPublic("127.0.0.1", "loopback")],
  ["http://0300.0250.1/", notPublic("192.168.0.1", "private")],
  ["http://00000177.0.0.01/", notPublic("127.0.0.1", "loopback")],
  ["http://127.0.0.1%2e/", notPublic("127.0.0.1", "loopback")],
  ["http:/127.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http:///127.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://127.0.0.1\\@example.com/", notPublic("127.0.0.1", "loopback")],
  ["http://127.0.0.1#@example.com/", notPublic("127.0.0.1", "loopback")],
  ["http://127.0.0.1?@example.com/", notPublic("127.0.0.1", "loopback")],
  ["ht\ntp://127.0.\r0.1/", notPublic("127.0.0.1", "loopback")],
  ["http://[::ffff:0:127.0.0.1]/", notPublic("[::ffff:0:7f00:1]", "rfc6145 of loopback")],
  ["http://[0:0:0:0:0:ffff:7f00:0001]/", notPublic("[::ffff:7f00:1]", "ipv4Mapped of loopback")],
  ["http://[fd00:ec2::23]/", notPublic("[fd00:ec2::23]", metadata)],
  ["http://[fd20:ce::254]/", notPublic("[fd20:ce::254]", metadata)],
  ["http://[fd00:c1::a9fe:a9fe]/", notPublic("[fd00:c1::a9fe:a9fe]", metadata)],
  ["http://[fd00:100::100:200]/", notPublic("[fd00:100::100:200]", metadata)],
  ["http://[fe80::a9fe:a9fe]/", notPublic("[fe80::a9fe:a9fe]", metadata)],
  ["http://[2002:a9fe:a9fe::]/", notPublic("[2002:a9fe:a9fe::]", `6to4 of ${metadata}`)],
  ["http://8.8.8.8:80@127.0.0.1/", credentials],
  ["http://127.0.0.1%2f@8.8.8.8/", credentials],
  ["http://8.8.8.8\t@127.0.0.1/", credentials],
  ["http://127.0.0.1%00.example.com/", noUrl],
  ["http://127.0.0.1:80:80/", noUrl],
  ["http://[::1/", noUrl],
  ["http://[::1%25lo]/", noUrl],
  ["http://127.0.0\t.1/", notPublic("127.0.0.1", "loopback")],
  ["http:127.0.0.1", notPublic("127.0.0.1", "loopback")],
  ["http:\\\\127.0.0.1\\a.png", notPublic("127.0.0.1", "loopback")],
  ["\n http://127.0.0.1/", notPublic("127.0.0.1", "loopback")],
  ["HTTPS://127.0.0.1:8443/", notPublic("127.0.0.1", "loopback")],
  ["http://0/", notPublic("0.0.0.0", "unspecified")],
  ["http://0.0.0.0/", notPublic("0.0.0.0", "unspecified")],
  ["http://10.0.0.1/", notPublic("10.0.0.1", "private")],
  ["http://172.16.0.1/", notPublic("172.16.0.1", "private")],
  ["http://192.168.0.1/", notPublic("192.168.0.1", "private")],
  ["http://3232235521/", notPublic("192.168.0.1", "private")],
  ["http://100.64.0.1/", notPublic("100.64.0.1", "carrierGradeNat")],
  ["http://198.18.0.1/", notPublic("198.18.0.1", "reserved")],
  ["http://224.0.0.1/", notPublic("224.0.0.1", "multicast")],
  ["http://255.255.255.255/", notPublic("255.255.255.255", "broadcast")],
  ["http://169.254.169.254/latest/meta-data/", notPublic("169.254.169.254", metadata)],
  ["http://2852039166/", notPublic("169.254.169.254", metadata)],
  ["http://0xa9fea9fe/", notPublic("169.254.169.254", metadata)],
  ["http://0251.0376.0251.0376/", notPublic("169.254.169.254", metadata)],
  ["http://169.254.43518/", notPublic("169.254.169.254", metadata)],
  ["http://169.254.170.2/", notPublic("169.254.170.2", metadata)],
  ["http://168.63.129.16/", notPublic("168.63.129.16", metadata)],
  ["http://100.100.100.200/", notPublic("100.100.100.200", metadata)],
  ["http://192.0.0.192/", notPublic("192.0.0.192", metadata)],
  ["http://[fd00:ec2::254]/", notPublic("[fd00:ec2::254]", metadata)],
  ["http://[::]/", notPublic("[::]", "unspecified")],
  ["http://[::1]/", notPublic("[::1]", "loopback")],
  ["http://[0:0:0:0:0:0:0:1]:8080/", notPublic("[::1]", "loopback")],
  ["http://[::ffff:127.0.0.1]/", notPublic("[::ffff:7f00:1]", "ipv4Mapped of loopback")],
  ["http://[::ffff:a9fe:a9fe]/", notPublic("[::ffff:a9fe:a9fe]", `ipv4Mapped of ${metadata}`)],
  ["http://[::127.0.0.1]/", notPublic("[::7f00:1]", "ipv4Compatible of loopback")],
  ["http://[64:ff9b::10.0.0.1]/", notPublic("[64:ff9b::a00:1]", "rfc6052 of private")],
  ["http://[64:ff9b::a9fe:a9fe]/", notPublic("[64:ff9b::a9fe:a9fe]", `rfc6052 of ${metadata}`)],
  ["http://[64:ff9b:1::1]/", notPublic("[64:ff9b:1::1]", "rfc6052")],
  ["http://[2002:7f00:1::]/", notPublic("[2002:7f00:1::]", "6to4 of loopback")],
  [
    "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    notPublic("[2001:0:4136:e378:8000:63bf:80ff:fffe]", "teredo of loopback"),
  ],
  ["http://[2606:4700::5efe:10.0.0.1]/", notPublic("[2606:4700::5efe:a00:1]", "isatap of private")],
  ["http://[fe80::1]/", notPublic("[fe80::1]", "linkLocal")],
  ["http://[fc00::1]/", notPublic("[fc00::1]", "uniqueLocal")],
  ["http://[ff02::1]/", notPublic("[ff02::1]", "multicast")],
  ["http://[4000::1]/", notPublic("[4000::1]", "outside 2000::/3")],
  ["http://user@example.com/", credentials],
  ["http://user:secret@example.com/", credentials],
  ["http://:secret@example.com/", credentials],
  ["http://example.com@169.254.169.254/", credentials],
  ["http://8.8.8.8%40@127.0.0.1/", credentials],
  ["file:///etc/passwd", scheme("file:")],
  ["ftp://example.com/a.png", scheme("ftp:")],
  ["gopher://example.com:6379/_INFO", scheme("gopher:")],
  ["javascript:alert(1)", scheme("javascript:")],
  ["blob:https://example.com/1", scheme("blob:")],
  ["localhost:8080/a.png", scheme("localhost:")],
  ["http://example.com:22/", port(22)],
  ["http://example.com:25/", port(25)],
  ["https://example.com:80/", "https://example.com:80/"],
  ["http://example.com:0/", port(0)],
  ["http://[fe80::1%25eth0]/", noUrl],
  ["http://127.0.0.256/", noUrl],
  ["http://0x100000000/", noUrl],
  ["http://example.com:99999/", noUrl],
  ["http://exa mple.com/", noUrl],
  ["http://", noUrl],
  ["//example.com/a.png", noUrl],
  ["a.png", noUrl],
  ["\0", noUrl],
  ["", "SOURCE_INVALID: expected an http or https URL, got an empty string"],
  [" \n", "SOURCE_INVALID: expected an http or https URL, got an empty string"],
  ["data:image/png;base64,YWJj", dataUri],
  ["  DATA:,x", dataUri],
  [
    `http://example.com/${"a".repeat(9000)}`,
    "SOURCE_INVALID: expected a URL of at most 8192 characters, got 9019",
  ],
  [`http://${"a.".repeat(200)}b/`, "SOURCE_INVALID: expected a host of at most 253 characters, got 401"],
];

const harmless: readonly [url: string, href: string][] = [
  ["http://example.com", "http://example.com/"],
  [" https://EXAMPLE.com:443/a b.png#x\n", "https://example.com/a%20b.png#x"],
  ["http://example.com:8080/a.png?x=1", "http://example.com:8080/a.png?x=1"],
  ["http://8.8.8.8/", "http://8.8.8.8/"],
  ["http://134744072/", "http://8.8.8.8/"],
  ["http://[2606:4700:4700::1111]/", "http://[2606:4700:4700::1111]/"],
  ["http://[::ffff:8.8.8.8]/", "http://[::ffff:808:808]/"],
  // Names are judged by what they resolve to, when they are dialled.
  ["http://localhost/", "http://localhost/"],
  ["http://metadata.google.internal/", "http://metadata.google.internal/"],
  ["http://127.0.0.1.nip.io/", "http://127.0.0.1.nip.io/"],
  ["http://ⓛocalhost/", "http://localhost/"],
  ["http://127.0.0.1../", "http://127.0.0.1../"],
  // A backslash ends the host: what follows is a path, not another host.
  ["http://8.8.8.8\\@127.0.0.1/", "http://8.8.8.8/@127.0.0.1/"],
];

describe("checkUrl", () => {
  test.each(hostile)("%j", (url, answer) => {
    expect(outcome(url)).toBe(answer);
  });

  test.each(harmless)("lets %j pass", (url, href) => {
    expect(outcome(url)).toBe(href);
  });

  test("hosts of --allow-hosts pass with any address and port, never with another scheme or credentials", () => {
    const allowed = ["127.0.0.1:22", "[::1]", "169.254.169.254"];
    expect(outcome("http://127.0.0.1:22/a", "public", allowed)).toBe("http://127.0.0.1:22/a");
    expect(outcome("http://2130706433:22/a", "public", allowed)).toBe("http://127.0.0.1:22/a");
    expect(outcome("https://[::1]/a", "public", allowed)).toBe("https://[::1]/a");
    expect(outcome("http://169.254.169.254/a", "public", allowed)).toBe("http://169.254.169.254/a");
    expect(outcome("http://127.0.0.1:23/", "public", allowed)).toBe(port(23));
    expect(outcome("http://127.0.0.1:8022/", "public", allowed)).toBe(notPublic("127.0.0.1", "loopback"));
    expect(outcome("ftp://127.0.0.1:22/", "public", allowed)).toBe(scheme("ftp:"));
    expect(outcome("http://u@127.0.0.1:22/", "public", allowed)).toBe(credentials);
  });

  test("listed: only hosts of --allow-hosts", () => {
    expect(outcome("http://minio:9000/a", "listed", ["minio:9000"])).toBe("http://minio:9000/a");
    expect(outcome("http://example.com/a", "listed", ["minio:9000"])).toBe(
      "SOURCE_FORBIDDEN: expected a host that this server's --allow-hosts names, got example.com:80",
    );
  });

  test("--allow-private: literals of a private network pass, and nothing else that is not public", () => {
    const withPrivate = (url: string) => outcome(url, "public", [], true);
    expect(withPrivate("http://10.0.0.1/a")).toBe("http://10.0.0.1/a");
    expect(withPrivate("http://3232235521:9000/a")).toBe("http://192.168.0.1:9000/a");
    expect(withPrivate("http://[fd12::1]/a")).toBe("http://[fd12::1]/a");
    const neither = (address: string, why: string) =>
      `SOURCE_FORBIDDEN: expected a public or private address (--allow-hosts names exceptions), got ${address} (${why})`;
    expect(withPrivate("http://127.1/")).toBe(neither("127.0.0.1", "loopback"));
    expect(withPrivate("http://[fe80::1]/")).toBe(neither("[fe80::1]", "linkLocal"));
    expect(withPrivate("http://[::ffff:10.0.0.1]/")).toBe(neither("[::ffff:a00:1]", "ipv4Mapped of private"));
    expect(withPrivate("http://169.254.169.254/")).toBe(neither("169.254.169.254", metadata));
    expect(withPrivate("http://100.100.100.200/")).toBe(neither("100.100.100.200", metadata));
    expect(withPrivate("http://[fd00:ec2::254]/")).toBe(neither("[fd00:ec2::254]", metadata));
    expect(withPrivate("http://10.0.0.1:22/")).toBe(port(22));
  });

  test("off: nothing", () => {
    expect(outcome("http://example.com/a", "off")).toBe(
      "SOURCE_FORBIDDEN: expected a picture's bytes, got a URL; this server fetches none (--urls off)",
    );
  });
});
