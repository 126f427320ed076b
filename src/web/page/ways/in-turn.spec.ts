import { expect, test } from "vitest";
import type { WayStatus } from "../state/page-state.ts";
import { createInTurn } from "./in-turn.ts";
import type { OpenWay, OpenWayContext } from "./open-way.ts";

const way: OpenWay = { concurrency: 1, embed: () => Promise.reject(), close: async () => undefined };

function contextOf(signal = new AbortController().signal) {
  const statuses: WayStatus["kind"][] = [];
  const context: OpenWayContext = {
    ...{ signal, onNotKept: () => undefined, onReplaced: () => undefined },
    onStatus: ({ kind }) => void statuses.push(kind),
  };
  return { context, statuses };
}

test("ways open one after the other, whether the one before opened or failed", async () => {
  const inTurn = createInTurn();
  const begun: string[] = [];
  const gate = Promise.withResolvers<OpenWay>();
  const open = (name: string, opening: Promise<OpenWay>) =>
    inTurn(() => {
      begun.push(name);
      return opening;
    })(contextOf().context);
  const first = open("first", gate.promise);
  const second = open("second", Promise.resolve(way));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(begun).toEqual(["first"]);
  gate.reject(new Error("no model"));
  await expect(first).rejects.toThrow("no model");
  await expect(second).resolves.toBe(way);
  expect(begun).toEqual(["first", "second"]);
});

test("a way says that it waits, and one that is switched off meanwhile waits no more", async () => {
  const inTurn = createInTurn();
  const gate = Promise.withResolvers<OpenWay>();
  const first = inTurn(() => gate.promise)(contextOf().context);
  const stopped = new AbortController();
  const { context, statuses } = contextOf(stopped.signal);
  const second = inTurn(() => Promise.reject(new Error("must not begin")))(context);
  expect(statuses).toEqual(["queued"]);
  stopped.abort();
  await expect(second).rejects.toMatchObject({ reason: "CANCELLED" });
  gate.resolve(way);
  await expect(first).resolves.toBe(way);
});
