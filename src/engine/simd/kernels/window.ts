/**
 * How the windows of a convolution or of a pool lie on a picture; fields of 4 bytes, in this order. `layoutWindow` in
 * src/engine/simd/window.ts writes it.
 */
@unmanaged
export class Window {
  height: i32;
  width: i32;
  /** Bytes from one pixel to the next. */
  pixelStride: i32;
  outHeight: i32;
  outWidth: i32;
  kernelHeight: i32;
  kernelWidth: i32;
  strideY: i32;
  strideX: i32;
  padTop: i32;
  padLeft: i32;
  dilationY: i32;
  dilationX: i32;
}
