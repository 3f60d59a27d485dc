/** The frame of a page: title of the window, heading, what can be done, and the way back. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

interface PageProps {
  readonly title: string;
  /** What stands beside the heading: a state or a button. */
  readonly side?: ComponentChildren;
  /** Address and name of the page above. */
  readonly above?: readonly [href: string, name: string];
  readonly children: ComponentChildren;
}

export function PageFrame({ title, side, above, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Hydraulic Ingest`;
  }, [title]);
  return (
    <>
      {above ? (
        <nav class="crumb" aria-label="Way back">
          <a href={above[0]}>← {above[1]}</a>
        </nav>
      ) : null}
      <header class="page-head">
        <h1>{title}</h1>
        {side ? <div class="page-side">{side}</div> : null}
      </header>
      {children}
    </>
  );
}

interface PanelProps {
  readonly title: string;
  readonly side?: ComponentChildren;
  readonly children: ComponentChildren;
}

export const Panel = ({ title, side, children }: PanelProps) => (
  <section class="panel">
    <header class="panel-head">
      <h2>{title}</h2>
      {side}
    </header>
    {children}
  </section>
);

/** Facts with their names. */
export const Facts = ({
  items,
}: {
  items: readonly (readonly [name: string, value: ComponentChildren] | null | false)[];
}) => (
  <dl class="facts">
    {items.map((item) =>
      item ? (
        <div key={item[0]}>
          <dt>{item[0]}</dt>
          <dd>{item[1]}</dd>
        </div>
      ) : null,
    )}
  </dl>
);
