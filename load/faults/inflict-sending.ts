/** Faults of those who send: the same batch twice, and uploads that are slow, stall or are cut off. */
import { batchOf, type LaneBatch } from "./batches.ts";
import { type Infliction, NoFaultError } from "./effect.ts";
import { APIS, type ApiName, type KindName } from "./kinds.ts";
import { requestOf } from "./requests.ts";
import { type Outcome, Sender } from "./sender.ts";
import type { Sendings } from "./sendings.ts";

/** What was sent has reached the API by then. */
const CUT_AFTER_MS = { least: 20, spread: 100 };

type Inflict = (sendings: Sendings, api: ApiName, infliction: Infliction) => Promise<void>;

/** undefined: it is none of these faults. */
export function inflictBySending(infliction: Infliction): Promise<void> | undefined {
  const { kind, target } = infliction.fault;
  return FAULTS[kind]?.(infliction.sendings, target as ApiName, infliction);
}

const TRIES = 5;
const isAnswered = (outcome: Outcome) => outcome.kind !== "unknown" || outcome.status !== 0;

const twiceAtOnce =
  (keyed: boolean): Inflict =>
  async (sendings) => {
    for (let tries = 1; ; tries += 1) {
      const batch = sendings.next(keyed);
      const outcomes = await Promise.all(APIS.map((api) => sendings.whole(batch, api)));
      if (keyed) await sendings.untilAccepted(batch, APIS[0]);
      if (outcomes.every(isAnswered)) return;
      if (tries === TRIES) throw new NoFaultError("never were both requests answered");
    }
  };

/** One that was accepted before, or one that is accepted now if there was none. */
async function earlier(sendings: Sendings, keyed: boolean, api: ApiName, draw: number): Promise<LaneBatch> {
  const list = sendings.accepted[keyed ? "keyed" : "plain"];
  const sent = list[Math.floor(draw * list.length)];
  if (sent) return batchOf(sendings.deps.shape, sent.lane, sent.n);
  const batch = sendings.next(keyed);
  if (keyed) await sendings.untilAccepted(batch, api);
  else await sendings.whole(batch, api);
  return batch;
}

const twiceLater: Inflict = async (sendings, api, { fault }) => {
  await sendings.whole(await earlier(sendings, false, api, fault.draw), api);
};

const twiceLaterKeyed: Inflict = async (sendings, api, { fault }) => {
  const batch = await earlier(sendings, true, api, fault.draw);
  await sendings.untilAccepted(batch, api);
  const { jobs } = sendings.deps.log.sentOf(batch);
  if (jobs.size !== 1) throw new Error(`${batch.key} was answered with ${[...jobs.keys()].join(" and ")}`);
};

/** Where a request is cut in two: within its body. */
const cutAt = (request: Buffer, draw: number) => {
  const body = request.indexOf("\r\n\r\n") + 4;
  return body + 1 + Math.floor(draw * (request.length - body - 2));
};

/** Slow, but in time; or so slow that it is refused, and later sent whole. */
const slowUpload: Inflict = async (sendings, api, { fault }) => {
  const batch = sendings.next(true);
  await sendings.once(batch, api, (sender, request) => {
    const at = cutAt(request, fault.draw);
    return sender.exchange((connection) =>
      connection.sendInParts(request.subarray(0, at), fault.hold_ms, request.subarray(at)),
    );
  });
  await sendings.untilAccepted(batch, api);
};

const cutUpload: Inflict = async (sendings, api, { fault }) => {
  const batch = sendings.next(true);
  const { shape, ports, token, log } = sendings.deps;
  const sent = log.begun(batch);
  const request = requestOf(shape, batch, token);
  const sender = new Sender(() => ports[api]);
  let isCut = false;
  await sender.exchange(async (connection) => {
    const answer = connection.send(request.subarray(0, cutAt(request, fault.draw)));
    answer.catch(() => undefined); // it is heard below
    await Bun.sleep(CUT_AFTER_MS.least + fault.draw * CUT_AFTER_MS.spread);
    isCut = connection.isOpen;
    connection.reset();
    return answer;
  });
  log.cut(sent);
  if (!isCut) throw new NoFaultError("the upload had ended before it was cut off");
  await sendings.untilAccepted(batch, api);
};

const FAULTS: Partial<Record<KindName, Inflict>> = {
  "twice-at-once": twiceAtOnce(false),
  "twice-at-once-keyed": twiceAtOnce(true),
  "twice-later": twiceLater,
  "twice-later-keyed": twiceLaterKeyed,
  "slow-upload": slowUpload,
  "stalled-upload": slowUpload,
  "cut-upload": cutUpload,
};
