/**
 * What a development start knows from the beginning: it seeds this, the API's examples are about it, and `simulate` and
 * `import` send to it without options.
 */

/** The system of the platform's example batch. */
export const DEMO_SYSTEM_ID = "550e8400-e29b-41d4-a716-446655440000";
/** Of every user that is seeded; public, so development only. */
export const DEMO_PASSWORD = "password";
/** An admin. */
export const DEMO_USER = { username: "admin", password: DEMO_PASSWORD } as const;
/** Producers that `simulate` and `import` send as. */
export const DEMO_FEEDERS = 8;

/** The name of a feeder, from 1. */
export function demoFeeder(number: number): string {
  return `feeder-${number}`;
}
