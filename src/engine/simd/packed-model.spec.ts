import { describe, expect, test } from "vitest";
import { createLightResNet50 } from "../../../tools/light-resnet50.ts";
import { convertKeras } from "../../convert/convert-keras.ts";
import { openSeat, packModel, seatBytes, weightsAddress } from "./packed-model.ts";

const model = packModel(
  convertKeras(createLightResNet50(), { outputLayer: "avg_pool", inputShape: [224, 224, 3] }).onnx,
);
const { plan } = model;
const pageBytes = 65_536;

describe("the memory that threads share for ResNet50", () => {
  test("holds the weights once, and each thread adds 20 MB at most", () => {
    expect(seatBytes(plan)).toBeLessThanOrEqual(20e6);
    for (let seat = 0; seat < 4; seat++) {
      openSeat(model, seat);
      // Whole pages only.
      const most = weightsAddress + plan.weightBytes + (seat + 1) * 20e6 + pageBytes;
      expect(model.memory.buffer.byteLength).toBeLessThanOrEqual(most);
    }
  });

  test("no two seats overlap each other or the weights, and a seat that is opened again takes no more", () => {
    const { byteLength } = model.memory.buffer;
    let end = weightsAddress + plan.weightBytes;
    for (let seat = 0; seat < 4; seat++) {
      const { arena, scratch } = openSeat(model, seat);
      expect(arena).toBeGreaterThanOrEqual(end);
      expect(scratch).toBe(arena + plan.arenaBytes);
      end = scratch + plan.scratchBytes;
    }
    expect(end).toBeLessThanOrEqual(byteLength);
    expect(model.memory.buffer.byteLength).toBe(byteLength);
  });

  test("a further thread for which there is no memory is refused, and the others keep theirs", () => {
    const pages = Math.ceil((weightsAddress + plan.weightBytes + seatBytes(plan)) / pageBytes);
    // The weights' pages are never touched, so that they cost nothing.
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages + 10, shared: true });
    const full = { plan, memory };
    const first = openSeat(full, 0);
    const missing = Math.ceil((weightsAddress + plan.weightBytes + 2 * seatBytes(plan)) / pageBytes) - pages;
    expect(() => openSeat(full, 1)).toThrow(
      expect.objectContaining({
        reason: "ENGINE_UNSUPPORTED",
        message: `simd: expected ${missing * pageBytes} bytes of memory for thread 2, beside ${pages * pageBytes} for the weights and the threads before it, got none`,
      }),
    );
    expect(openSeat(full, 0)).toEqual(first);
  });
});
