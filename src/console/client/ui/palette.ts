/** The colours in force, for what is drawn on a canvas: the style sheet's variables, resolved. */
export interface Palette {
  readonly accent: string;
  /** Of the stretch from lowest to highest. */
  readonly band: string;
  readonly second: string;
  readonly muted: string;
  readonly grid: string;
  readonly bad: string;
  /** Made for a dark ground. */
  readonly isDark: boolean;
}

/** Of `rgb(r, g, b)`. */
const isDark = (colour: string): boolean => {
  const [red = 255, green = 255, blue = 255] = (colour.match(/\d+/g) ?? []).map(Number);
  return red + green + blue < 384;
};

/** Variables hold `light-dark(…)`; only a real property of a real element says what that is now. */
function resolve(names: readonly string[]): string[] {
  const probe = document.createElement("span");
  probe.hidden = true;
  // Where the system sets the colours, a canvas has ours: a line and its band would be one.
  probe.style.forcedColorAdjust = "none";
  document.body.append(probe);
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return found;
}

export function paletteNow(): Palette {
  const [accent = "", band = "", second = "", muted = "", grid = "", bad = "", ground = ""] = resolve([
    "accent",
    "band",
    "second",
    "muted",
    "line",
    "bad",
    "surface",
  ]);
  return { accent, band, second, muted, grid, bad, isDark: isDark(ground) };
}
