/** Which faults, when and on whom: all of it drawn from the seed before anything is started. */
import { Chance } from "../../src/feed/simulate/chance.ts";
import { KIND_NAMES, KINDS, type Kind, type KindName } from "./kinds.ts";

export interface PlannedFault {
  /** From 1, in the order of the schedule. */
  readonly number: number;
  readonly kind: KindName;
  readonly target: string;
  /** After the round's begin, ms. */
  readonly at_ms: number;
  readonly hold_ms: number;
  /** From 0 to below 1: for what the fault has to choose when it comes (a thread, a backend, where to cut). */
  readonly draw: number;
}

/** Faults that overlap. The next round begins when the service has recovered from all of them. */
export type Round = readonly PlannedFault[];

/** A round of one fault in ten, of five in as many; three on average. */
const SIZES = [1, 2, 2, 3, 3, 3, 3, 4, 4, 5] as const;
const STARTS_WITHIN_MS = 700;
/** Tries to find a fault that can be at the same time as the others of its round. */
const TRIES = 12;

/** @param count faults in all */
export function scheduleOf(seed: number, count: number): Round[] {
  const chance = new Chance(seed, "schedule of faults");
  const bag = new Bag(chance);
  const rounds: Round[] = [];
  for (let number = 1; number <= count; ) {
    const round = roundOf(chance, bag, number, Math.min(chance.pick(SIZES), count - number + 1));
    rounds.push(round);
    number += round.length;
  }
  return rounds;
}

function roundOf(chance: Chance, bag: Bag, first: number, size: number): Round {
  const drawn: Omit<PlannedFault, "number">[] = [];
  for (let tries = 0; drawn.length < size && (tries < TRIES || drawn.length === 0); tries += 1) {
    const kind = bag.next();
    const { targets, hold_ms }: Kind = KINDS[kind];
    const fault = {
      kind,
      target: chance.pick(targets),
      at_ms: Math.round(chance.between(0, STARTS_WITHIN_MS)),
      hold_ms: Math.round(chance.between(...hold_ms)),
      draw: chance.uniform(),
    };
    if (drawn.some((other) => exclude(fault, other))) bag.putBack(kind);
    else drawn.push(fault);
  }
  drawn.sort((a, b) => a.at_ms - b.at_ms);
  return drawn.map((fault, i) => ({ number: first + i, ...fault }));
}

type Place = Pick<PlannedFault, "kind" | "target">;

/** One takes away what the other needs or takes: together they would be one fault, or none. */
export function exclude(one: Place, other: Place): boolean {
  return (
    takenBy(one).some((name) => touchedBy(other).includes(name)) ||
    takenBy(other).some((name) => touchedBy(one).includes(name))
  );
}

const takenBy = ({ kind, target }: Place) => KINDS[kind].takes(target);
const touchedBy = (place: Place) => [...takenBy(place), ...KINDS[place.kind].needs(place.target)];

/** Every kind is drawn as often as its weight says, not only on average: a short run has nearly all of them. */
class Bag {
  readonly #credit = new Map<KindName, number>();
  #left: KindName[] = [];

  constructor(private readonly chance: Chance) {}

  next(): KindName {
    if (this.#left.length === 0) this.#fill();
    return this.#left.splice(this.chance.below(this.#left.length), 1)[0]!;
  }

  putBack(kind: KindName): void {
    this.#left.push(kind);
  }

  /** About 36 of them; what is less than one is kept for the next time. */
  #fill(): void {
    for (const kind of KIND_NAMES) {
      const credit = (this.#credit.get(kind) ?? this.chance.uniform()) + KINDS[kind].weight / 3;
      const whole = Math.floor(credit);
      this.#credit.set(kind, credit - whole);
      for (let i = 0; i < whole; i += 1) this.#left.push(kind);
    }
  }
}

/** A line for people. */
export function describeFault({ number, kind, target, at_ms, hold_ms }: PlannedFault): string {
  const lasts = hold_ms > 0 ? ` for ${hold_ms} ms` : "";
  return `${number}. ${kind} ${target} at +${at_ms} ms${lasts}`;
}
