/**
 * The honest producer in a thread of its own: what the hostile client's thread is busy with would else count as waiting
 * for the service. It begins when it is told its settings, and tells the result when it is told to stop.
 */
import { type FromThread, PacedProducer, type ToThread } from "./paced.ts";

declare const self: Worker;

let producer: PacedProducer | undefined;
self.onmessage = async ({ data }: MessageEvent<ToThread>) => {
  if (data !== "stop") {
    producer = new PacedProducer(data);
    return;
  }
  const answer: FromThread = await producer!.stop().then(
    (result) => ({ result }),
    (error: unknown) => ({ failed: String(error) }),
  );
  self.postMessage(answer);
};
