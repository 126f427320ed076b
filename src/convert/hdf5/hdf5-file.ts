/** An open HDF5 file, as far as Keras needs it. Paths are absolute: `/model_weights/conv1`. */
export interface Hdf5File {
  /**
   * All datasets below a group, at any depth, by their path; none if there is no such group.
   * @throws EmbedError `CONVERT_INVALID` for links to elsewhere and for more or deeper objects than a model has
   */
  listDatasets(group: string): ReadonlyMap<string, Hdf5Dataset>;
  /** Names of what lies in a group; none if there is no such group. */
  listNames(group: string): readonly string[];
  /**
   * The text or texts of an attribute of a group.
   * @returns undefined if there is no such attribute
   * @throws EmbedError `CONVERT_INVALID` if it holds something else, or more text than a model has
   */
  readTexts(group: string, attribute: string): readonly string[] | undefined;
  /**
   * The values of a dataset in C order; whole numbers become floats.
   * @throws EmbedError `CONVERT_INVALID` if it holds something else, lies elsewhere or in pieces, or claims more bytes
   *   than the file has left
   */
  readFloats(dataset: Hdf5Dataset): Float32Array;
  close(): void;
}

export interface Hdf5Dataset {
  readonly path: string;
  readonly shape: readonly number[];
}

/**
 * Opens the bytes of an HDF5 file. After an error the opener may be in no sound state: end its thread.
 * @throws EmbedError `CONVERT_INVALID` if they are none
 */
export type OpenHdf5 = (bytes: Uint8Array<ArrayBuffer>) => Hdf5File;

/** Opens a file, works with it and closes it. */
export async function useHdf5<T>(
  open: OpenHdf5,
  bytes: Uint8Array<ArrayBuffer>,
  work: (file: Hdf5File) => T | Promise<T>,
): Promise<T> {
  const file = open(bytes);
  let result: T;
  try {
    result = await work(file);
  } catch (error) {
    try {
      file.close();
    } catch {
      // A damaged file may not close either; what happened first says more.
    }
    throw error;
  }
  file.close();
  return result;
}
