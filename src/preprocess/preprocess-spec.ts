/** Pillow's resampling filters that Keras `load_img(interpolation=...)` offers and Portico reproduces. */
export const interpolations = ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"] as const;

export type Interpolation = (typeof interpolations)[number];

/** Channel modes of `keras_applications.imagenet_utils.preprocess_input`; `none` leaves 0..255 RGB. */
export const channelModes = ["caffe", "tf", "torch", "none"] as const;

export type ChannelMode = (typeof channelModes)[number];

/** How pixels become the model's input tensor (1, height, width, 3) float32. */
export interface PreprocessSpec {
  readonly width: number;
  readonly height: number;
  readonly interpolation: Interpolation;
  readonly mode: ChannelMode;
}
