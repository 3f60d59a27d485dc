/** All that reads what somebody else wrote. */
import type { FuzzTarget } from "./fuzzer.ts";
import { BODY_TARGETS } from "./targets/bodies.ts";
import { CODING_TARGETS } from "./targets/codings.ts";
import { ENTRY_TARGET } from "./targets/entry.ts";
import { FILE_TARGETS } from "./targets/files.ts";
import { REQUEST_TARGETS } from "./targets/requests.ts";
import { TEXT_TARGETS } from "./targets/texts.ts";

export const TARGETS: readonly FuzzTarget[] = [
  ENTRY_TARGET,
  ...BODY_TARGETS,
  ...CODING_TARGETS,
  ...TEXT_TARGETS,
  ...REQUEST_TARGETS,
  ...FILE_TARGETS,
];
