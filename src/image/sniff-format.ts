import { EmbedError } from "../errors.ts";
import { formatList } from "./image-errors.ts";
import type { ImageFormat } from "./pixels.ts";

/** Bytes to find at `offset`, as Latin-1 text. */
type Magic = readonly [offset: number, text: string];

interface Signature<Name> {
  readonly name: Name;
  /** All of them must be there. */
  readonly magics: readonly Magic[];
}

const taken: readonly Signature<ImageFormat>[] = [
  { name: "jpeg", magics: [[0, "\xff\xd8\xff"]] },
  { name: "png", magics: [[0, "\x89PNG\r\n\x1a\n"]] },
  {
    name: "webp",
    magics: [
      [0, "RIFF"],
      [8, "WEBP"],
    ],
  },
  { name: "gif", magics: [[0, "GIF87a"]] },
  { name: "gif", magics: [[0, "GIF89a"]] },
  { name: "tiff", magics: [[0, "II*\0"]] },
  { name: "tiff", magics: [[0, "MM\0*"]] },
];

/** Formats that somebody may well send; known, so that the refusal can name them. */
const notTaken: readonly Signature<string>[] = [
  { name: "BigTIFF", magics: [[0, "II+\0"]] },
  { name: "BigTIFF", magics: [[0, "MM\0+"]] },
  { name: "AVIF", magics: [[4, "ftypavif"]] },
  { name: "AVIF", magics: [[4, "ftypavis"]] },
  { name: "HEIC", magics: [[4, "ftyphei"]] },
  { name: "HEIC", magics: [[4, "ftyphev"]] },
  { name: "HEIF", magics: [[4, "ftypmif1"]] },
  { name: "HEIF", magics: [[4, "ftypmsf1"]] },
  { name: "JPEG XL", magics: [[0, "\xff\x0a"]] },
  { name: "JPEG XL", magics: [[0, "\0\0\0\x0cJXL \r\n\x87\n"]] },
  { name: "JPEG 2000", magics: [[0, "\0\0\0\x0cjP  \r\n\x87\n"]] },
  { name: "JPEG 2000", magics: [[0, "\xff\x4f\xff\x51"]] },
  { name: "ICNS", magics: [[0, "icns"]] },
  { name: "PSD", magics: [[0, "8BPS"]] },
  { name: "PDF", magics: [[0, "%PDF-"]] },
  { name: "PostScript", magics: [[0, "%!PS"]] },
  { name: "DDS", magics: [[0, "DDS "]] },
  { name: "QOI", magics: [[0, "qoif"]] },
  { name: "OpenEXR", magics: [[0, "\x76\x2f\x31\x01"]] },
  { name: "Radiance HDR", magics: [[0, "#?RADIANCE"]] },
  { name: "FLIF", magics: [[0, "FLIF"]] },
  { name: "BPG", magics: [[0, "BPG\xfb"]] },
  { name: "XCF", magics: [[0, "gimp xcf"]] },
  { name: "DjVu", magics: [[0, "AT&TFORM"]] },
  { name: "MNG", magics: [[0, "\x8aMNG\r\n\x1a\n"]] },
  { name: "FITS", magics: [[0, "SIMPLE  ="]] },
  { name: "Windows Metafile", magics: [[0, "\xd7\xcd\xc6\x9a"]] },
  { name: "Sun raster", magics: [[0, "\x59\xa6\x6a\x95"]] },
  { name: "SGI", magics: [[0, "\x01\xda"]] },
  { name: "PCX", magics: [[0, "\x0a\x05\x01\x08"]] },
];

/** How far the search for `<svg` goes: past an XML declaration and a licence comment. */
const svgSearchBytes = 1024;

/**
 * Tells the format of an encoded picture by its first bytes; names and MIME types are never asked.
 * @throws EmbedError `SOURCE_EMPTY` for no bytes; `IMAGE_UNSUPPORTED` for a known format that is not taken,
 *   naming it, and for anything that is not an image
 */
export function sniffFormat(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) {
    throw new EmbedError("SOURCE_EMPTY", "expected an encoded image, got zero bytes");
  }
  const format = findSignature(taken, bytes);
  if (format) return format;
  if (isBmp(bytes)) return "bmp";
  const other = findSignature(notTaken, bytes) ?? sniffIcon(bytes) ?? sniffTarga(bytes) ?? sniffText(bytes);
  throw new EmbedError(
    "IMAGE_UNSUPPORTED",
    other
      ? `${other} is not supported; supported formats: ${formatList}`
      : `not an image: the first bytes are those of no known format; supported formats: ${formatList}`,
  );
}

function findSignature<Name>(signatures: readonly Signature<Name>[], bytes: Uint8Array): Name | undefined {
  return signatures.find(({ magics }) => magics.every((magic) => hasMagic(bytes, magic)))?.name;
}

function hasMagic(bytes: Uint8Array, [offset, text]: Magic): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** `BM` alone opens many a plain text: the size of the information header must fit too. */
function isBmp(bytes: Uint8Array): boolean {
  if (!hasMagic(bytes, [0, "BM"])) return false;
  return bytes.length < 18 || (bytes[14]! >= 12 && bytes[14]! <= 124 && bytes[15] === 0 && bytes[16] === 0);
}

/** A directory of 1 or more icons or cursors; Targa files may begin with the same four bytes. */
function sniffIcon(bytes: Uint8Array): string | undefined {
  if (bytes.length < 22 || bytes[4] === 0 || bytes[9] !== 0) return undefined;
  if (hasMagic(bytes, [0, "\0\0\x01\0"])) return "ICO";
  return hasMagic(bytes, [0, "\0\0\x02\0"]) ? "CUR" : undefined;
}

/** Targa has its mark at the end, if at all. */
function sniffTarga(bytes: Uint8Array): string | undefined {
  return hasMagic(bytes, [bytes.length - 18, "TRUEVISION-XFILE."]) ? "TGA" : undefined;
}

function sniffText(bytes: Uint8Array): string | undefined {
  // Netpbm: P1 to P7 (and PF, Pf), then white space.
  if (bytes[0] === 0x50 && bytes.length > 2 && /[1-7Ff]/.test(String.fromCharCode(bytes[1]!))) {
    if (/\s/.test(String.fromCharCode(bytes[2]!))) return "PNM";
  }
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, svgSearchBytes));
  return /^(\xef\xbb\xbf)?\s*</.test(head) && /<svg[\s>]/i.test(head) ? "SVG" : undefined;
}
