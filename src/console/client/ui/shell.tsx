/** What surrounds every page: the way to all others, and the visitor's own choices. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Role } from "../../../contract/roles.ts";
import type { Session } from "../../../contract/session.ts";
import { type Group, homeOf, isIn } from "../lib/access.ts";
import { signOut } from "../lib/api.ts";
import { setTheme, setZone, THEMES, type Theme, theme, zone } from "../lib/preferences.ts";
import { useAction } from "../lib/resource.ts";
import { to, usePlace } from "../lib/router.ts";
import { useShared } from "../lib/shared.ts";
import type { Zone } from "../types.ts";
import { useGoKeys } from "./go-keys.ts";
import { BrandMark, Icon, type IconName } from "./icons.tsx";
import { type GoKey, KeysHelp } from "./keys-help.tsx";
import { Notices } from "./notices.tsx";
import { ProblemBox } from "./states.tsx";

interface PageLink extends GoKey {
  readonly icon: IconName;
  readonly group: Group;
}

/** What belongs together: the data, what carries it, and who may. Each page with the letter that leads there after `g`. */
const SECTIONS: readonly (readonly [name: string, pages: readonly PageLink[]])[] = [
  [
    "Data",
    [
      { key: "o", path: "/", name: "Overview", icon: "overview", group: "readers" },
      { key: "j", path: "/jobs", name: "Jobs", icon: "jobs", group: "everybody" },
      { key: "q", path: "/quarantine", name: "Quarantine", icon: "quarantine", group: "readers" },
      { key: "s", path: "/systems", name: "Systems", icon: "systems", group: "everybody" },
    ],
  ],
  [
    "Operation",
    [
      { key: "d", path: "/dead-letters", name: "Dead letters", icon: "letters", group: "readers" },
      { key: "l", path: "/alerts", name: "Alerts", icon: "alerts", group: "readers" },
      { key: "w", path: "/workers", name: "Workers", icon: "workers", group: "readers" },
      { key: "h", path: "/webhooks", name: "Webhooks", icon: "webhooks", group: "webhook-users" },
    ],
  ],
  [
    "Access",
    [
      { key: "k", path: "/keys", name: "API keys", icon: "keys", group: "everybody" },
      { key: "u", path: "/users", name: "Users", icon: "users", group: "admins" },
      { key: "a", path: "/audit", name: "Audit", icon: "audit", group: "admins" },
    ],
  ],
];

/** Pages that a role may see. */
const pagesOf = (role: Role): readonly PageLink[] =>
  SECTIONS.flatMap(([, pages]) => pages).filter(({ group }) => isIn(role, group));

interface ShellProps {
  readonly session: Session;
  readonly children: ComponentChildren;
}

export function Shell({ session, children }: ShellProps) {
  const { busy, problem, run } = useAction();
  const leave = () => void run(signOut);
  const pages = useMemo(() => pagesOf(session.user.role), [session.user.role]);
  useGoKeys(pages);
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar session={session} busy={busy} onLeave={leave} />
      <main id="main" tabIndex={-1}>
        {problem ? <ProblemBox problem={problem} retry={leave} /> : null}
        {children}
      </main>
      <Notices />
      <KeysHelp pages={pages} />
    </div>
  );
}

interface TopBarProps {
  readonly session: Session;
  /** Signing out is under way. */
  readonly busy: boolean;
  readonly onLeave: () => void;
}

function TopBar({ session, busy, onLeave }: TopBarProps) {
  const { path } = usePlace();
  const [open, setOpen] = useState(false);
  const menu = useRef<HTMLButtonElement>(null);
  // Another page closes the menu, at once: its button, pressed right after, opens it again
  useLayoutEffect(() => setOpen(false), [path]);
  // At once with the menu: the key may come right after it
  useLayoutEffect(() => {
    if (!open) return;
    const close = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      menu.current?.focus();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [open]);
  return (
    <header class="top">
      <a class="brand" href={to(homeOf(session.user.role))}>
        <BrandMark />
        Hydraulic Ingest
      </a>
      <button
        ref={menu}
        type="button"
        class="menu-button button"
        aria-expanded={open}
        aria-controls="menu"
        onClick={() => setOpen(!open)}
      >
        Menu
      </button>
      <div id="menu" class={`menu${open ? " open" : ""}`}>
        <MainNavigation path={path} role={session.user.role} />
        <Choices session={session} busy={busy} onLeave={onLeave} />
      </div>
    </header>
  );
}

const isAt = (path: string, page: string) => path === page || (page !== "/" && path.startsWith(`${page}/`));

const MainNavigation = ({ path, role }: { path: string; role: Role }) => (
  <nav class="main-nav" aria-label="Pages">
    {SECTIONS.map(([section, pages]) => {
      const shown = pages.filter(({ group }) => isIn(role, group));
      return shown.length === 0 ? null : (
        <section key={section}>
          <p id={`pages-${section}`} class="nav-name">
            {section}
          </p>
          <ul aria-labelledby={`pages-${section}`}>
            {shown.map((page) => (
              <li key={page.path}>
                <a href={to(page.path)} aria-current={isAt(path, page.path) ? "page" : undefined}>
                  <Icon name={page.icon} />
                  {page.name}
                </a>
              </li>
            ))}
          </ul>
        </section>
      );
    })}
  </nav>
);

function Choices({ session, busy, onLeave }: TopBarProps) {
  return (
    <div class="choices">
      <select
        aria-label="Colours"
        value={useShared(theme)}
        onChange={(event) => setTheme(event.currentTarget.value as Theme)}
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {{ system: "Auto", light: "Light", dark: "Dark" }[name]}
          </option>
        ))}
      </select>
      <select
        aria-label="Zone of times"
        value={useShared(zone)}
        onChange={(event) => setZone(event.currentTarget.value as Zone)}
      >
        <option value="local">Local time</option>
        <option value="utc">UTC</option>
      </select>
      <a class="who" href={to("/account")} title={`Your account: ${session.user.username}`}>
        <span class="who-name">{session.user.username}</span>{" "}
        <span class="muted small">{session.user.role}</span>
      </a>
      <button type="button" class="button" disabled={busy} onClick={onLeave}>
        Sign out
      </button>
    </div>
  );
}
