/** The part of h5wasm's module (its `ready`) that reading needs; numbers of HDF5's own are bigint. */
export interface H5wasmModule {
  readonly FS: {
    createDataFile(
      folder: string,
      name: string,
      bytes: Uint8Array,
      canRead: boolean,
      canWrite: boolean,
      canOwn: boolean,
    ): unknown;
    unlink(path: string): unknown;
  };
  /** The whole memory; another view after each call that may grow it. */
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(address: number): void;
  open(path: string, mode: number, trackOrder: boolean, lowest: number, highest: number): bigint;
  close_file(file: bigint): number;
  /** HDF5's errors become exceptions with its own words, instead of lines on stderr. */
  activate_throwing_error_handler(): number;
  get_names(file: bigint, group: string, recursive: boolean): string[];
  /** `objectType`'s values; below 0 if there is nothing. */
  get_type(file: bigint, path: string): number;
  /** Null if it is none. */
  get_symbolic_link(file: bigint, path: string): string | null;
  get_external_link(file: bigint, path: string): { readonly filename?: string };
  get_attribute_names(file: bigint, path: string): string[];
  get_attribute_metadata(file: bigint, path: string, name: string): H5wasmMetadata;
  get_attribute_data(file: bigint, path: string, name: string, address: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, attribute: string, address: bigint): number;
  get_dataset_metadata(file: bigint, path: string): H5wasmMetadata;
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    address: bigint,
  ): number;
}

export interface H5wasmMetadata {
  /** `H5T_class_t`. */
  readonly type: number;
  /** Bytes of one value. */
  readonly size: number;
  readonly signed: boolean;
  /** A string of any length: the value is its address. */
  readonly vlen: boolean;
  /** Null for a dataspace without values. */
  readonly shape: readonly number[] | null;
  /** Null unless the dataset lies in chunks. */
  readonly chunks: readonly number[] | null;
  readonly virtual_sources?: readonly unknown[];
}

/** `H5G_obj_t` (H5Gpublic.h). */
export const objectType = { group: 0, dataset: 1 } as const;

/** `H5T_class_t` (H5Tpublic.h). */
export const typeClass = { integer: 0, float: 1, string: 3 } as const;
