import { expect, test } from "vitest";
import { createSlots } from "./fetch-slots.ts";

/** A work that ends when told to, and a list of what has begun. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
  };
  return { begun, work, end: (name: string) => ends.get(name)?.() };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("runs so many at once, the others in order", async () => {
  const { begun, work, end } = works();
  const inSlot = createSlots(2);
  const results = ["a", "b", "c", "d"].map((name) => inSlot(work(name), undefined));
  await turn();
  expect(begun).toEqual(["a", "b"]);
  end("b");
  await turn();
  expect(begun).toEqual(["a", "b", "c"]);
  end("a");
  await turn();
  end("c");
  end("d");
  expect(await Promise.all(results)).toEqual(["a", "b", "c", "d"]);
});

test("a work that fails gives its slot back", async () => {
  const inSlot = createSlots(1);
  await expect(inSlot(() => Promise.reject(new Error("no")), undefined)).rejects.toThrow("no");
  expect(await inSlot(async () => "yes", undefined)).toBe("yes");
});

test("who goes while waiting is not run and costs no slot", async () => {
  const { begun, work, end } = works();
  const inSlot = createSlots(1);
  const caller = new AbortController();
  const first = inSlot(work("first"), undefined);
  const gone = inSlot(work("gone"), caller.signal);
  const last = inSlot(work("last"), undefined);
  caller.abort();
  await expect(gone).rejects.toMatchObject({ reason: "CANCELLED" });
  end("first");
  await first;
  await turn();
  end("last");
  await last;
  expect(begun).toEqual(["first", "last"]);
});

test("a slot handed to one who goes in the same moment passes to the next", async () => {
  const { begun, work, end } = works();
  const inSlot = createSlots(1);
  const caller = new AbortController();
  const first = inSlot(work("first"), undefined);
  const gone = inSlot(work("gone"), caller.signal);
  const last = inSlot(work("last"), undefined);
  await turn();
  end("first");
  // Abort as early as the slot can have been freed, in each of the first turns of the microtask queue.
  const aborted = first.then(() => caller.abort());
  const settled = gone.then(
    () => "ran",
    () => "gone",
  );
  await aborted;
  await turn();
  end("gone");
  await settled;
  await turn();
  end("last");
  expect(await last).toBe("last");
  expect(begun.at(-1)).toBe("last");
});
