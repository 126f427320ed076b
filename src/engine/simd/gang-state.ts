/**
 * What threads share that work on one picture, a gang: its leader, whose picture it is, and helpers. The leader lays out each
 * step in parts; whoever is there takes the next part that nobody has. So a helper may come and go between two parts, and
 * one that is late holds up nobody. Int32 words in a SharedArrayBuffer, one state for each seat.
 */
export type GangState = Int32Array<SharedArrayBuffer>;

/** One cache line for each seat. */
const wordsPerSeat = 16;

/** Which parts there are, and which is the next to be taken; see `partsOf`. */
const ticketWord = 0;
/** Number of the step that the ticket is for. */
const stepWord = 1;
/** Parts of the step that are done. */
const doneWord = 2;
/** 1 once a helper was lost: its part will never be done. */
const abortedWord = 3;
/** Threads that help or are on their way. */
const helpersWord = 4;
/** Of a helper, in its own state: 1 once it must leave. */
const calledOffWord = 5;

/** A step is cut into at most this many parts. */
export const mostParts = 63;

/** Of threads that sleep: a state is looked at this often, though nobody woke them. */
const longestSleepMs = 100;

/** Loads of a word in one round of spinning: some 10 microseconds. */
const loadsPerRound = 2_000;

export const createGangStates = (seats: number): SharedArrayBuffer =>
  new SharedArrayBuffer(seats * wordsPerSeat * Int32Array.BYTES_PER_ELEMENT);

/** @returns the state of a seat; undefined beyond the last, where a thread works alone */
export function gangStateOf(states: SharedArrayBuffer, seat: number): GangState | undefined {
  const from = seat * wordsPerSeat * Int32Array.BYTES_PER_ELEMENT;
  return from < states.byteLength ? new Int32Array(states, from, wordsPerSeat) : undefined;
}

/** A ticket: 20 bits of a sequence number, 6 of the number of parts, 6 of the next one to be taken. */
const partsOf = (ticket: number) => (ticket >>> 6) & mostParts;
const nextOf = (ticket: number) => ticket & mostParts;

/** Lays out a step; all parts of the one before must be done. */
export function publishStep(state: GangState, step: number, parts: number): void {
  Atomics.store(state, stepWord, step);
  Atomics.store(state, doneWord, 0);
  publish(state, parts);
}

/** A picture was begun: there is nothing to be taken yet, but helpers may wait for it. */
export const publishStart = (state: GangState): void => publish(state, 1, 1);

/** No parts at all: helpers leave. */
export const publishEnd = (state: GangState): void => publish(state, 0);

function publish(state: GangState, parts: number, taken = 0): void {
  const sequence = (readTicket(state) >>> 12) + 1;
  Atomics.store(state, ticketWord, (sequence << 12) | (parts << 6) | taken);
  Atomics.notify(state, ticketWord);
}

export const isEnd = (ticket: number): boolean => partsOf(ticket) === 0;

/** Part number `part` of `parts` of a step, which only the caller has. */
export interface Part {
  readonly step: number;
  readonly part: number;
  readonly parts: number;
}

/** Takes the next part, if there is one. */
export function takePart(state: GangState): Part | undefined {
  for (;;) {
    const ticket = readTicket(state);
    const part = nextOf(ticket);
    const parts = partsOf(ticket);
    if (part >= parts) return undefined;
    // Whoever has a part keeps the step from ending, so its number is read behind this.
    if (Atomics.compareExchange(state, ticketWord, ticket, ticket + 1) === ticket)
      return { step: Atomics.load(state, stepWord), part, parts };
  }
}

export const readTicket = (state: GangState): number => Atomics.load(state, ticketWord);
export const partsDone = (state: GangState): number => Atomics.load(state, doneWord);
export const isAborted = (state: GangState): boolean => Atomics.load(state, abortedWord) !== 0;
export const helpersOf = (state: GangState): number => Atomics.load(state, helpersWord);
export const isCalledOff = (own: GangState): boolean => Atomics.load(own, calledOffWord) !== 0;

export function notePartDone(state: GangState): void {
  Atomics.add(state, doneWord, 1);
  Atomics.notify(state, doneWord);
}

/** The picture must be begun again: what one of its parts should have written is missing. */
export function abortGang(state: GangState): void {
  Atomics.store(state, abortedWord, 1);
  Atomics.notify(state, doneWord);
  Atomics.notify(state, helpersWord);
}

export function clearAbort(state: GangState): void {
  Atomics.store(state, abortedWord, 0);
}

/** Counts a helper in before it is sent; the state of the helper itself forgets that it was called off before. */
export function addHelper(state: GangState, own: GangState): void {
  Atomics.store(own, calledOffWord, 0);
  Atomics.add(state, helpersWord, 1);
}

/** Counts a helper out that has left or ended. */
export function removeHelper(state: GangState): void {
  Atomics.sub(state, helpersWord, 1);
  Atomics.notify(state, helpersWord);
}

/** Asks a helper to leave after its part. */
export function callOffHelper(state: GangState, own: GangState): void {
  Atomics.store(own, calledOffWord, 1);
  Atomics.notify(state, ticketWord);
}

/** Watches for some microseconds, awake: a sleeping thread takes 50 of them and more to wake up, and may wake on a busy processor. */
export function watchTicket(state: GangState, own: GangState, seen: number): void {
  for (let load = 0; load < loadsPerRound; load++) {
    if (Atomics.load(state, ticketWord) !== seen || Atomics.load(own, calledOffWord) !== 0) return;
  }
}

/** The same for the number of parts done. */
export function watchDone(state: GangState, seen: number): void {
  for (let load = 0; load < loadsPerRound; load++) if (Atomics.load(state, doneWord) !== seen) return;
}

/** Sleeps until the ticket is not `seen` any more, somebody is called off, or a while has passed. */
export const sleepOnTicket = (state: GangState, seen: number): void => sleepOn(state, ticketWord, seen);
/** Sleeps until the number of parts done is not `seen` any more, or a while has passed. */
export const sleepOnDone = (state: GangState, seen: number): void => sleepOn(state, doneWord, seen);
/** Sleeps until the number of helpers is not `seen` any more, or a while has passed. */
export const sleepOnHelpers = (state: GangState, seen: number): void => sleepOn(state, helpersWord, seen);

function sleepOn(state: GangState, word: number, seen: number): void {
  Atomics.wait(state, word, seen, longestSleepMs);
}
