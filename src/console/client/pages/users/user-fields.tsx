/** What an account may do: fields that making and changing one have in common. */
import type { UserChange, UserView } from "../../../../contract/access.ts";
import { ROLES, type Role } from "../../../../contract/roles.ts";
import { budgetOf } from "../../lib/budget.ts";
import { ChoiceField } from "../../ui/field.tsx";
import { BudgetFields, type Budgets, SystemsField } from "../../ui/reach-fields.tsx";

export interface UserForm extends Budgets {
  readonly role: Role;
  readonly systems: readonly string[] | null;
}

export const formOf = (user: UserView): UserForm => ({
  role: user.role,
  systems: user.systems,
  requests: String(user.requests_per_minute ?? ""),
  readings: String(user.readings_per_minute ?? ""),
});

/** @throws {FormError} */
export function grantsOf({ systems, requests, readings }: UserForm) {
  return {
    systems: systems && [...systems],
    requests_per_minute: budgetOf(requests, "Requests a minute"),
    readings_per_minute: budgetOf(readings, "Readings a minute"),
  } satisfies UserChange;
}

interface UserFieldsProps {
  readonly form: UserForm;
  readonly change: (changes: Partial<UserForm>) => void;
  /** Somebody else decides the role. */
  readonly isOutside?: boolean;
}

export const UserFields = ({ form, change, isOutside = false }: UserFieldsProps) => (
  <>
    {isOutside ? null : (
      <ChoiceField
        label="Role"
        value={form.role}
        choices={ROLES.toReversed().map((role) => [role, role])}
        onValue={(role) => change({ role: role as Role })}
      />
    )}
    <SystemsField systems={form.systems} onSystems={(systems) => change({ systems })} all="All" />
    <BudgetFields otherwise="the default" budgets={form} onBudgets={change} />
  </>
);
