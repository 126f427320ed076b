import type { HandlerContext } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { allGates, type RequestGate } from "./request-gate.ts";

const context = {} as HandlerContext;

test("gates are asked in order until one refuses", async () => {
  const asked: string[] = [];
  const passing: RequestGate = async () => void asked.push("passing");
  const refusing: RequestGate = (got) => {
    expect(got).toBe(context);
    asked.push("refusing");
    throw new Error("refused");
  };
  await expect(allGates(passing, refusing, passing)(context)).rejects.toThrow("refused");
  expect(asked).toEqual(["passing", "refusing"]);
});

test("no gate lets everything pass", async () => {
  await expect(allGates()(context)).resolves.toBeUndefined();
});
