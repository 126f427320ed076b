import { afterAll, beforeAll } from "vitest";
import { exchangeRaw, expectUnhurt } from "./request-raw.ts";
import { type RequestVictim, startRequestVictim, type VictimState } from "./request-victim-process.ts";

type RestOf<F> = F extends (first: never, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;

/** A server in a process of its own for the tests of a file, which do to it what they can. */
export interface UsedVictim {
  /** On a connection of its own: see `exchangeRaw`. */
  readonly exchange: RestOf<typeof exchangeRaw>;
  /** Expects that it serves as before, and holds no more than before the tests. */
  expectUnhurt(): Promise<void>;
}

/** To be called beside the tests of a file: the server starts before them and is ended after them. */
export function useRequestVictim(): UsedVictim {
  let victim: RequestVictim;
  let before: VictimState;
  beforeAll(async () => {
    victim = await startRequestVictim();
    before = await victim.state();
  });
  afterAll(() => victim?.stop());
  return {
    exchange: (...rest) => exchangeRaw(victim.port, ...rest),
    expectUnhurt: () => expectUnhurt(victim, before),
  };
}
