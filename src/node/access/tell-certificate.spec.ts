import { expect, test } from "vitest";
import { createTestAuthority } from "../../../tools/test-certificates.ts";
import { tellCertificate } from "./tell-certificate.ts";
import { checkTlsTexts } from "./tls-files.ts";

const authority = createTestAuthority();

function told(days: number): [level: string, message: string, fields: object][] {
  const { certPem, keyPem } = authority.issue("localhost", ["localhost"], days);
  const { leaf } = checkTlsTexts({ cert: certPem, key: keyPem }, { certFile: "", keyFile: "" });
  const lines: [string, string, object][] = [];
  tellCertificate((...line) => lines.push(line), "read", "tls.crt", leaf);
  return lines;
}

const fields = {
  file: "tls.crt",
  subject: "CN=localhost",
  validTo: expect.stringMatching(/^[A-Z][a-z]{2} .* GMT$/),
};

test.each([30, 15])("a certificate that ends in %i days is told, and no more", (days) => {
  expect(told(days)).toEqual([["info", "read", fields]]);
});

test.each([
  [13.5, 13],
  [0.5, 0],
])("one that ends in %d days is warned of", (days, daysLeft) => {
  expect(told(days)).toEqual([
    ["info", "read", fields],
    ["warn", "the TLS certificate expires within 14 days", { ...fields, daysLeft }],
  ]);
});

test("one that has expired is warned of", () => {
  expect(told(-1)).toEqual([
    ["info", "read", fields],
    ["warn", "the TLS certificate has expired: clients refuse it", fields],
  ]);
});
