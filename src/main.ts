/** The command line. Each command is a file of its own; `start` is where the parts of the service are wired. */
import { Command, InvalidArgumentError, Option } from "commander";
import { createSystem, createUser } from "./commands/accounts.ts";
import { fail } from "./commands/fail.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { replay } from "./commands/replay.ts";
import { ROLES_TO_START, start } from "./commands/start.ts";
import { verifyCommand } from "./commands/verify.ts";
import { importCommand } from "./feed/import/command.ts";
import { simulateCommand } from "./feed/simulate/command.ts";
import { ROLES } from "./store/users.ts";

function program(): Command {
  const main = new Command("hydraulic")
    .description(
      "Hydraulic Ingest: takes sensor readings over HTTP, validates them and stores them in TimescaleDB.",
    )
    .addHelpText("after", "\nEvery setting is an environment variable; .env.example lists them all.")
    .showHelpAfterError()
    .configureHelp({ showGlobalOptions: true });
  addStart(main);
  main.command("migrate").description("Bring the database schema up to date and end.").action(migrateCommand);
  addCreateUser(main);
  addCreateSystem(main);
  addReplay(main);
  return main.addCommand(verifyCommand()).addCommand(simulateCommand()).addCommand(importCommand());
}

function addStart(main: Command): void {
  main
    .command("start")
    .description("Find or start Redis and TimescaleDB, migrate, and run the service until Ctrl-C or SIGTERM.")
    .argument("[role]", `what to run: ${ROLES_TO_START.join(", ")}`, "all")
    .action(async (role: string) => {
      const known = ROLES_TO_START.find((r) => r === role);
      if (!known) main.error(`error: there is no role ${role}; it is one of ${ROLES_TO_START.join(", ")}`);
      else await start(known);
    });
}

function addCreateUser(main: Command): void {
  main
    .command("create-user")
    .description(
      "Create a user. The password is read from standard input, so that it stays out of the shell's history.",
    )
    .argument("<username>")
    .addOption(new Option("--role <role>", "what the user may do").choices(ROLES).default("producer"))
    .option("--requests-per-minute <n>", "ingest requests a minute instead of the default", positive)
    .option("--readings-per-minute <n>", "readings a minute instead of the default", positive)
    .option("--system <id...>", "limit the user to these systems; without it the user reaches all")
    .action(createUser);
}

function addCreateSystem(main: Command): void {
  main
    .command("create-system")
    .description("Register a system (machine), so that its readings are stored.")
    .argument("<name>")
    .option("--id <uuid>", "its id; a new one is made and printed otherwise")
    .action(createSystem);
}

function addReplay(main: Command): void {
  main
    .command("replay")
    .description("List the dead letters, or bring them back into the stream.")
    .option("--job <id>", "only the dead letter of this job")
    .option("--all", "bring back every dead letter")
    .option(
      "--save <file>",
      "with --job: write its payload, as it was sent, into a new file; nothing is brought back",
    )
    .action(replay);
}

/** commander parser of a whole number from 1. */
function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

/** For what is still open after the stop (a socket whose other end is silent), ms. */
const LINGER_MS = 250;

await program().parseAsync().catch(fail);
setTimeout(() => process.exit(), LINGER_MS).unref();
