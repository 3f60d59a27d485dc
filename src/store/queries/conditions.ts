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
