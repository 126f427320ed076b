import { expect, test } from "vitest";
import { readH2specReport } from "./h2spec-report.ts";

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="6.7. PING" package="http2/6.7" id="6.7" tests="4" skipped="1" failures="0" errors="2">
    <testcase package="http2/6.7" classname="Sends a PING frame" time="0.0011"></testcase>
    <testcase package="http2/6.7" classname="Sends a PING frame with ACK" time="0.0017">
      <error>PING Frame (length:8, flags:0x01, stream_id:0, opaque_data:h2spec\0\0)
Connection closed</error>
    </testcase>
    <testcase package="http2/6.7" classname="One more" time="0.0006">
      <error>Timeout</error>
    </testcase>
    <testcase package="http2/6.7" classname="Not here" time="0.0006">
      <skipped></skipped>
    </testcase>
  </testsuite>
</testsuites>`;

test("tells failures that are accounted for from others, and from those that are mended", () => {
  const accounted = [
    { name: "http2/6.7: Sends a PING frame with ACK", reason: "" },
    { name: "http2/6.7: Sends a PING frame", reason: "" },
  ];
  expect(readH2specReport(report, accounted)).toEqual({
    passed: ["http2/6.7: Sends a PING frame"],
    skipped: ["http2/6.7: Not here"],
    failed: ["http2/6.7: One more"],
    accounted: ["http2/6.7: Sends a PING frame with ACK"],
    mended: ["http2/6.7: Sends a PING frame"],
  });
});
