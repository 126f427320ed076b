import { useLayoutEffect, useRef } from "preact/hooks";
import type { Pixels } from "../../../image/pixels.ts";

export interface SeenCanvasProps {
  /** (height, width, 3) uint8 RGB. */
  readonly pixels: Pixels;
  /** Of the picture. */
  readonly name: string;
}

/** The pixels that the model takes, exactly: what is read back from the canvas are the same bytes. */
export function SeenCanvas({ pixels, name }: SeenCanvasProps) {
  const { width, height } = pixels;
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(toRgba(pixels), width, height), 0, 0);
  }, [pixels, width, height]);
  return (
    <canvas
      ref={canvas}
      width={width}
      height={height}
      role="img"
      aria-label={`${name} as the model sees it, ${width} by ${height} pixels`}
    />
  );
}

function toRgba({ data, width, height }: Pixels): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
    rgba[to] = data[from] as number;
    rgba[to + 1] = data[from + 1] as number;
    rgba[to + 2] = data[from + 2] as number;
  }
  return rgba;
}
