/** What is really drawn on the canvas of a chart. */
import type { Page } from "playwright-core";

/** How far a channel of a pixel may be from the colour that is looked for: edges are smoothed. */
const NEAR = 24;

/** How many pixels of the page's first chart have the colour of a variable of the style sheet, such as `accent`. */
export const pixelsOf = (page: Page, colour: string): Promise<number> =>
  page.evaluate<number>(`(() => {
    const probe = document.createElement("span");
    probe.style.color = "var(--${colour})";
    document.body.append(probe);
    const wanted = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
    probe.remove();
    const drawn = document.querySelector(".chart canvas");
    if (!drawn || drawn.width * drawn.height === 0) return 0;
    // A copy is read: one that is read often is drawn in another way.
    const copy = new OffscreenCanvas(drawn.width, drawn.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(drawn, 0, 0);
    const { data } = copy.getImageData(0, 0, drawn.width, drawn.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4) {
      const isNear = [0, 1, 2].every((i) => Math.abs(data[at + i] - wanted[i]) <= ${NEAR});
      if (isNear && data[at + 3] > 200) found += 1;
    }
    return found;
  })()`);

/** Keeps the texts of what was drawn last on a canvas, from the next load on; read them with `textsOf`. */
export const watchTexts = (page: Page) =>
  page.addInitScript(`window.canvasTexts = [];
    const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
      window.canvasTexts.push(String(text));
      return fillText.call(this, text, ...rest);
    };
    // Every drawing begins with an empty canvas.
    CanvasRenderingContext2D.prototype.clearRect = function (...rest) {
      window.canvasTexts.length = 0;
      return clearRect.call(this, ...rest);
    };`);

export const textsOf = (page: Page): Promise<string[]> => page.evaluate("window.canvasTexts");
