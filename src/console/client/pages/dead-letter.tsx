/** One dead letter: why it is there, what it holds, and the two ways out. */

import { useState } from "preact/hooks";
import type { DeadLetterDetail } from "../../../contract/oversight.ts";
import { useMayReview } from "../lib/access.ts";
import { bytes, count } from "../lib/format.ts";
import { useResource } from "../lib/resource.ts";
import { navigate, to } from "../lib/router.ts";
import { Facts, PageFrame, Panel } from "../ui/page.tsx";
import { Source } from "../ui/source.tsx";
import { Empty, Shown } from "../ui/states.tsx";
import { Time } from "../ui/time.tsx";
import { ConfirmDialog } from "./confirm.tsx";

const WISHES = {
  replay: {
    title: "Replay this dead letter",
    explanation: "The payload goes back into the stream and is processed again.",
    verb: "Replay",
    done: "The dead letter was sent again.",
  },
  discard: {
    title: "Discard this dead letter",
    explanation:
      "The payload is removed for good. What it was and why it was discarded stays in the audit log.",
    verb: "Discard",
    done: "The dead letter was discarded.",
    noteRequired: true,
    danger: true,
  },
} as const;

export function DeadLetterPage({ id }: { id: string }) {
  const path = `/api/v1/dead-letters/${id}`;
  const letter = useResource<DeadLetterDetail>(path);
  const [wish, setWish] = useState<keyof typeof WISHES | null>(null);
  const mayReview = useMayReview();
  return (
    <PageFrame
      title={`Dead letter ${id}`}
      above={[to("/dead-letters"), "Dead letters"]}
      side={
        mayReview && letter.data ? (
          <>
            {letter.data.payload.body === "" ? null : (
              <button type="button" class="button primary" onClick={() => setWish("replay")}>
                Replay
              </button>
            )}
            <button type="button" class="button danger" onClick={() => setWish("discard")}>
              Discard
            </button>
          </>
        ) : null
      }
    >
      <Shown of={letter}>{(data) => <Letter letter={data} />}</Shown>
      {wish ? (
        <ConfirmDialog
          {...WISHES[wish]}
          path={`${path}/${wish}`}
          onClose={() => setWish(null)}
          onDone={() => navigate(to("/dead-letters"))}
        />
      ) : null}
    </PageFrame>
  );
}

function Letter({ letter: { reason, buried_at, size_bytes, job, payload } }: { letter: DeadLetterDetail }) {
  return (
    <>
      <Panel title="What happened">
        <Facts
          items={[
            ["Why", reason],
            ["Buried", <Time key="at" at={buried_at} />],
            ["Size", bytes(size_bytes)],
            job && [
              "Job",
              <a key="job" class="mono id" href={to(`/jobs/${job.job_id}`)}>
                {job.job_id}
              </a>,
            ],
            job && ["Received", <Time key="received" at={job.received_at} />],
            job && ["Readings", count(job.total_readings)],
          ]}
        />
      </Panel>
      <Panel
        title={`Payload (${ENCODINGS[payload.encoding]})`}
        side={payload.truncated ? <span class="muted small">cut after 256 KiB</span> : null}
      >
        {payload.body === "" ? (
          <Empty title="No payload was kept">There is nothing to replay.</Empty>
        ) : (
          <Source label="Payload">{textOf(payload)}</Source>
        )}
      </Panel>
    </>
  );
}

const ENCODINGS = { json: "JSON", text: "as sent", base64: "Base64" } as const;

/** JSON indented; text that is no JSON any more, because it was cut, as it is. */
function textOf({ encoding, body }: DeadLetterDetail["payload"]): string {
  if (encoding !== "json") return body;
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
