/** What is drawn over a chart's curves: the limits of the sensor, and the moment that the page is about. */
import type uPlot from "uplot";
import { number } from "../lib/format.ts";
import type { Palette } from "./palette.ts";

/** The lowest and the highest good value, inclusive; null: none. */
export interface Limits {
  readonly min: number | null;
  readonly max: number | null;
}

interface Marked {
  readonly limits?: Limits;
  /** s since the epoch. */
  readonly mark_s?: number | null;
  /** The unit. */
  readonly axis: string;
}

export function drawMarks(plot: uPlot, { limits, mark_s, axis }: Marked, palette: Palette): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.strokeStyle = palette.bad;
  ctx.fillStyle = palette.bad;
  if (limits?.max != null) drawLimit(plot, limits.max, "above", `highest good ${number(limits.max)} ${axis}`);
  if (limits?.min != null) drawLimit(plot, limits.min, "below", `lowest good ${number(limits.min)} ${axis}`);
  if (mark_s != null) {
    const x = plot.valToPos(mark_s, "x", true);
    ctx.strokeStyle = palette.muted;
    line(ctx, x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

/** How strongly the stretch of refused values is shaded. */
const SHADE = 0.07;

/** The line of a limit with its words, and what is beyond it. */
function drawLimit({ ctx, bbox, valToPos }: uPlot, limit: number, beyond: "above" | "below", text: string) {
  const [top, bottom] = [bbox.top, bbox.top + bbox.height];
  const y = valToPos(limit, "y", true);
  const from = beyond === "above" ? top : Math.max(top, y);
  const to = beyond === "above" ? Math.min(bottom, y) : bottom;
  if (to <= from) return;
  ctx.globalAlpha = SHADE;
  ctx.fillRect(bbox.left, from, bbox.width, to - from);
  ctx.globalAlpha = 1;
  line(ctx, bbox.left, y, bbox.left + bbox.width, y);
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  // On the side of the good values, where there is room
  const gap = 4 * devicePixelRatio;
  ctx.textBaseline = beyond === "above" ? "top" : "bottom";
  ctx.fillText(text, bbox.left + gap, beyond === "above" ? y + gap : y - gap);
}

function line(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
}
