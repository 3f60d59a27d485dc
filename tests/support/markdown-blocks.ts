/** The fenced blocks of a page of the documentation, for tests that run them as they stand there. */

export interface Block {
  /** Title of the section it stands in. */
  readonly section: string;
  /** First word behind the fence: `sh`, `ts`, `sql`. */
  readonly language: string;
  /** What follows it. */
  readonly label: string;
  readonly text: string;
}

const FENCE = /^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```$|^#+ (.+)$/gm;

export function blocksOf(markdown: string): Block[] {
  let section = "";
  const blocks: Block[] = [];
  for (const [, language = "", label = "", text, title] of markdown.matchAll(FENCE)) {
    if (title !== undefined) section = title;
    else blocks.push({ section, language, label, text: text ?? "" });
  }
  return blocks;
}
