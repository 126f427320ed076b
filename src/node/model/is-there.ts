import { statIfThere } from "../stat-if-there.ts";

/** Whether a file lies there, with this size if one is given. */
export async function isThere(file: string, bytes?: number): Promise<boolean> {
  const stats = await statIfThere(file);
  if (!stats?.isFile()) return false;
  return bytes === undefined || stats.size === bytes;
}
