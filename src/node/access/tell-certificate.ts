import type { X509Certificate } from "node:crypto";
import type { HttpLog } from "../http/http-types.ts";

const dayMs = 86_400_000;

/**
 * A certificate that ends within so many days is told as a warning. certbot and cert-manager renew those of 90
 * days 30 days before the end, so that by then renewal has failed for two weeks.
 */
const certificateWarningDays = 14;

/** Tells the log which certificate new connections get from now on, and warns of one that is over, or nearly. */
export function tellCertificate(log: HttpLog, message: string, file: string, leaf: X509Certificate): void {
  const { subject, validTo } = leaf;
  const fields = { file, subject, validTo };
  log("info", message, fields);
  const leftMs = leaf.validToDate.getTime() - Date.now();
  if (leftMs <= 0) log("warn", "the TLS certificate has expired: clients refuse it", fields);
  else if (leftMs <= certificateWarningDays * dayMs) {
    const daysLeft = Math.floor(leftMs / dayMs);
    log("warn", `the TLS certificate expires within ${certificateWarningDays} days`, { ...fields, daysLeft });
  }
}
