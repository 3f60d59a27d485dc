/** Starts the console in its page. */
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "./styles/colours.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/menu.css";
import "./styles/frame.css";
import "./styles/tables.css";
import "./styles/parts.css";
import "./styles/forms.css";
import "./styles/dialogs.css";
import "./styles/charts.css";
import "./styles/pages.css";
import "./styles/review.css";
import "./styles/access.css";
import "./styles/visitors.css";
import "./styles/print.css";
import { App } from "./app.tsx";
import { loadSession } from "./lib/api.ts";
import { startTheme } from "./lib/preferences.ts";
import { startRouter } from "./lib/router.ts";

startTheme();
startRouter();
void loadSession();
const root = document.getElementById("console");
if (root) render(<App />, root);
