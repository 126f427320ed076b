/** What a worker does wrong on a marked picture; see misbehave.ts. */
export const faults = ["hang", "heap", "exit", "throw", "grow"] as const;

export type Fault = (typeof faults)[number];

const label = "portico-fault:";

/** The picture with a mark behind its end, where decoders do not look. */
export function markPicture(picture: Uint8Array, fault: Fault): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat([picture, Buffer.from(label + fault)]));
}

export function faultOf(picture: Uint8Array): Fault | undefined {
  const end = Buffer.from(picture.subarray(-32)).toString("latin1");
  return faults.find((fault) => end.endsWith(label + fault));
}
