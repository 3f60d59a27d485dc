/** Server-sent events as they come over the network. */

/** The parts between empty lines: events and comments. */
export async function* sseParts(response: Response): AsyncGenerator<string> {
  let text = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    yield* parts;
  }
}

/** The fields of an event by their names; of several with one name, the last. */
export function sseFields(part: string): Record<string, string> {
  return Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s)));
}

/** The events, without the comments. */
export async function* sseEvents(response: Response): AsyncGenerator<Record<string, string>> {
  for await (const part of sseParts(response)) if (!part.startsWith(":")) yield sseFields(part);
}
