/** The feeders' commands alone, as a program that tests start. */
import { Command } from "commander";
import { importCommand } from "../../src/feed/import/command.ts";
import { simulateCommand } from "../../src/feed/simulate/command.ts";

await new Command("hydraulic").addCommand(simulateCommand()).addCommand(importCommand()).parseAsync();
