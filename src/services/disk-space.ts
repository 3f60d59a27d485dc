/** Room on the disk, asked of the file system: no message text is needed to tell a full disk. */
import { statfs } from "node:fs/promises";

/** Below this a failed write is blamed on the disk. */
const NEARLY_FULL_BYTES = 8 * 1024 * 1024;

/** True when the file system of `folder` (which must exist) has at least `bytes` free for this user. */
export async function hasRoom(folder: string, bytes = NEARLY_FULL_BYTES): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize >= bytes;
}
