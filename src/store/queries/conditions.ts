import { arrayOf } from "../review/ask.ts";

/** Takes what a condition compares with. @returns the parameter, with its type */
export interface TextValues {
  add(value: string, type: string): string;
}

/** That a column is one of some systems; one alone is an equality, which an index in the order of a list begins with. */
export function amongSystems(column: string, systems: readonly string[], values: TextValues): string {
  const [only, ...others] = systems;
  if (only !== undefined && others.length === 0) return `${column} = ${values.add(only, "uuid")}`;
  return `${column} = ANY(${values.add(arrayOf(systems), "text")}::uuid[])`;
}

/** The conditions of a list that were asked for, with their parameters. */
export class Conditions {
  readonly #values: unknown[];
  readonly #conditions: string[] = [];

  /** @param values of the parameters that the statement has before, $1 and so on */
  constructor(values: readonly unknown[]) {
    this.#values = [...values];
  }

  /** Demand something, unless `value` is null. @param condition gets the parameter's name */
  add(value: unknown, condition: (parameter: string) => string): this {
    if (value === null) return this;
    this.#values.push(value);
    this.#conditions.push(condition(`$${this.#values.length}`));
    return this;
  }

  /** Demand that a column is one of the systems within reach; null: any. */
  within(column: string, reach: readonly string[] | null): this {
    if (reach === null) return this;
    const add = (value: string, type: string) => `$${this.#values.push(value)}::${type}`;
    this.#conditions.push(amongSystems(column, reach, { add }));
    return this;
  }

  /** WHERE and all conditions; empty without any. */
  get text(): string {
    return this.#conditions.length === 0 ? "" : `WHERE ${this.#conditions.join(" AND ")}`;
  }

  /** To follow another condition: AND and all conditions; empty without any. */
  get also(): string {
    return this.#conditions.map((condition) => `AND ${condition}`).join(" ");
  }

  get values(): readonly unknown[] {
    return this.#values;
  }
}
