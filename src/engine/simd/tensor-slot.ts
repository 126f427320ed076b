/**
 * Where a tensor of one picture lies in the arena of whoever works on it: (height, width, channels) float32, each pixel
 * `stride` floats from the next. Channels behind the last are finite numbers without meaning.
 */
export interface TensorSlot {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Floats; a multiple of 8, of the network's input a multiple of 4. */
  readonly stride: number;
  /** Bytes from the start of the arena; placed once all steps are known. */
  offset: number;
}

/** A slot whose place is not known yet. A vector is one pixel. */
export function createSlot(height: number, width: number, channels: number, multiple = 8): TensorSlot {
  return { height, width, channels, stride: Math.ceil(channels / multiple) * multiple, offset: -1 };
}

export const pixelsOf = ({ height, width }: TensorSlot) => height * width;

/** Vectors of four floats in one pixel. */
export const quadsOf = ({ stride }: TensorSlot) => stride / 4;

/** Rows that a product may write behind the last: they come in groups of five or six. */
const slackRows = 5;

export const bytesOf = (slot: TensorSlot) => (pixelsOf(slot) + slackRows) * slot.stride * 4;
