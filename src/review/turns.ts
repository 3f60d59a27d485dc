/** Decisions meet each other, new readings and retention: they take turns at the writer, and begin again when they were overtaken. */
import { InTurn } from "../ops/in-turn.ts";
import { classify, isDropRace } from "../store/errors.ts";
import { ReviewRaceError } from "../store/review/settle.ts";
import { ReplacedError } from "../store/writer/readings.ts";
import { SensorTakenError } from "../store/writer/sensor-registration.ts";
import { ReviewBusyError } from "./review-errors.ts";

/** Decisions that wait for the writer's one connection. */
const MAX_WAITING = 16;
/** A portion meets others' decisions and new readings; each attempt sees them. */
const ATTEMPTS = 5;

/** The writer has one connection: decisions go one after the other. */
export class Turns {
  #waiting = 0;
  readonly #line = new InTurn();

  /** @throws {ReviewBusyError} when too many wait, and what the work throws */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) throw new ReviewBusyError();
    this.#waiting += 1;
    try {
      return await this.#line.run(work);
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** Again while others get in between; each attempt begins with what is true then. Throws what the last one throws. */
export async function unlessOvertaken<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isOvertaken(error) || attempt >= ATTEMPTS) throw error;
    }
  }
}

const isOvertaken = (error: unknown) =>
  error instanceof ReviewRaceError ||
  error instanceof ReplacedError ||
  error instanceof SensorTakenError ||
  isDropRace(error) ||
  classify(error) === "unique";
