/** Failures that a person can do something about: printed as two lines, exit code 1, no stack trace. */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";

/** Below this a failed download or install is blamed on the disk. */
const NEARLY_FULL_BYTES = 16 * 1024 * 1024;

export class BootstrapFailure extends Error {
  name = "BootstrapFailure";

  /**
   * @param {string} message what is the matter
   * @param {string} remedy what to do
   */
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

/** True when the disk under `folder` (or its nearest existing parent) has no room left for this user. */
export function isDiskFull(folder) {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize < NEARLY_FULL_BYTES;
}

/** The failure for a full disk. */
export function diskFull(folder) {
  return new BootstrapFailure(
    `The disk that holds ${folder} is full.`,
    "Free about 1 GB and start again; nothing half-done is kept.",
  );
}

/** Turns a file-system error into a failure with a remedy; any other error comes back unchanged. */
export function explain(error, folder) {
  switch (error?.code) {
    case "ENOSPC":
    case "EDQUOT":
      return diskFull(folder);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new BootstrapFailure(
        `${error.path ?? folder} cannot be written by this user.`,
        `Use a clone that this user owns, or give it back with: chown -R "$(id -un)" ${folder}`,
      );
    default:
      return error;
  }
}
