/** The last words of a command that failed: what is the matter and what to do, and a stack only for our own mistakes. */
import { ConfigError } from "../config/problems.ts";
import { UnitDefinitionError } from "../contract/units.ts";
import { ServicesError } from "../services/services-error.ts";
import { WrongDataError } from "../store/benchmark-tables.ts";
import { EditionError } from "../store/edition.ts";
import { classify, StoreUnavailableError } from "../store/errors.ts";
import { MigrationError } from "../store/migrate.ts";
import { ScratchError } from "../store/scratch.ts";
import { UserExistsError } from "../store/users.ts";
import { StreamUnavailableError } from "../stream/connection.ts";

/** What a person can mend: the message is enough. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

const EXPECTED = [
  CommandError,
  ConfigError,
  EditionError,
  MigrationError,
  ScratchError,
  StoreUnavailableError,
  StreamUnavailableError,
  UnitDefinitionError,
  UserExistsError,
  WrongDataError,
];

/** Prints the error to standard error and sets exit code 1. */
export function fail(error: unknown): void {
  process.exitCode = 1;
  if (error instanceof ServicesError) process.stderr.write(`error: ${error.message}.\n${error.remedy}\n`);
  else if (EXPECTED.some((known) => error instanceof known) || classify(error) === "unavailable")
    process.stderr.write(`error: ${(error as Error).message}\n`);
  else
    process.stderr.write(
      `error: this is a mistake of the program itself\n${(error as Error)?.stack ?? error}\n`,
    );
}
