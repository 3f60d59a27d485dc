/** What a visitor chooses for this browser: colours, the zone of times, keys. Kept in localStorage where it is allowed. */
import type { Zone } from "../types.ts";
import { Shared } from "./shared.ts";

export type Theme = "system" | "light" | "dark";

const stored = (name: string): string | null => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

const oneOf = <T extends string>(value: string | null, choices: readonly T[], fallback: T): T =>
  choices.find((choice) => choice === value) ?? fallback;

export const THEMES = ["system", "light", "dark"] as const;
export const theme = new Shared<Theme>(oneOf(stored("console.theme"), THEMES, "system"));
export const zone = new Shared<Zone>(oneOf(stored("console.zone"), ["local", "utc"], "local"));

/** Whether keys of one letter do something: who dictates to the computer may not want them. */
export const keysOn = new Shared(stored("console.keys") !== "off");

/** Counts changes of the colours in force, for what is drawn on a canvas. */
export const colours = new Shared(0);

export function setTheme(value: Theme): void {
  keep("console.theme", value);
  theme.set(value);
  applyTheme();
}

export function setZone(value: Zone): void {
  keep("console.zone", value);
  zone.set(value);
}

export function setKeys(on: boolean): void {
  keep("console.keys", on ? "on" : "off");
  keysOn.set(on);
}

function applyTheme(): void {
  if (theme.value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  colours.set(colours.value + 1);
}

export function startTheme(): void {
  applyTheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
}
