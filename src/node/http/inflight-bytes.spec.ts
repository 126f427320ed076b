import { describe, expect, test } from "vitest";
import { createInflightBytes } from "./inflight-bytes.ts";

const bound = () => createInflightBytes(100, "requests at once (--max-inflight-bytes)");
const refusal = (wanted: number) =>
  expect.objectContaining({
    reason: "OVERLOADED",
    message: `expected at most 100 bytes of requests at once (--max-inflight-bytes), got ${wanted}; try again later`,
  });

describe("bytes in flight", () => {
  test("calls share one bound, and may fill it to the last byte", () => {
    const inflight = bound();
    const [a, b] = [inflight.open(), inflight.open()];
    a.charge(60);
    b.charge(40);
    expect(inflight.heldBytes()).toBe(100);
    expect(() => a.charge(1)).toThrow(refusal(101));
  });

  test("a refused call gives back what it held, so that the other one gets through", () => {
    const inflight = bound();
    const [a, b] = [inflight.open(), inflight.open()];
    a.charge(50);
    b.charge(50);
    expect(() => a.charge(30)).toThrow(refusal(130));
    expect(inflight.heldBytes()).toBe(50);
    b.charge(200);
    expect(inflight.heldBytes()).toBe(250);
  });

  test("a call that is alone may hold more than the bound", () => {
    const inflight = bound();
    const [a, b] = [inflight.open(), inflight.open()];
    a.charge(101);
    a.charge(1_000);
    expect(() => b.charge(1)).toThrow(refusal(1_102));
    a.release();
    b.charge(500);
    expect(inflight.heldBytes()).toBe(500);
  });

  test("gives back no more than was held, and counts nothing after the end", () => {
    const inflight = bound();
    const [a, b] = [inflight.open(), inflight.open()];
    a.charge(10);
    b.charge(10);
    a.refund(15);
    expect(inflight.heldBytes()).toBe(10);
    a.release();
    a.charge(50);
    a.release();
    expect(inflight.heldBytes()).toBe(10);
  });

  test("a message of a stream counts until the next one is asked for, or for as long as it is kept", () => {
    const inflight = bound();
    const call = inflight.open();
    call.charge(30);
    call.handOver(30);
    call.takeBack();
    expect(inflight.heldBytes()).toBe(0);
    call.charge(40);
    call.handOver(40);
    const letGo = call.keep();
    call.takeBack();
    expect(inflight.heldBytes()).toBe(40);
    call.charge(20);
    letGo();
    letGo();
    expect(inflight.heldBytes()).toBe(20);
    call.keep()();
    expect(inflight.heldBytes()).toBe(20);
  });
});
