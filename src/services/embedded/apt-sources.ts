/** Reads the machine's own apt sources (sources.list(5)), so that the bundle comes from the mirror already in use. */

/** One `deb` source of the machine. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Path of a keyring, or an ASCII-armoured key itself; undefined means apt's trusted keys. */
  readonly signedBy: string | undefined;
}

/** Sources of a one-line-style file (`*.list`). */
export function parseOneLineSources(text: string): AptSource[] {
  return text.split("\n").flatMap((raw) => {
    const line = raw.replace(/#.*/, "").trim();
    const match = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line);
    if (!match) return [];
    const [, options = "", uri = "", suite = "", components = ""] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return [{ uri, suites: [suite], components: words(components), signedBy }];
  });
}

/** Sources of a deb822-style file (`*.sources`); disabled stanzas are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  return text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = parseStanza(stanza);
    const field = (name: string): string => fields.get(name) ?? "";
    if (!words(field("types")).includes("deb") || /^(no|false|0)$/i.test(field("enabled"))) return [];
    const signedBy = fields.get("signed-by");
    return words(field("uris")).map((uri) => ({
      uri,
      suites: words(field("suites")),
      components: words(field("components")),
      signedBy: signedBy?.includes("-----BEGIN") ? unfoldKey(signedBy) : words(signedBy ?? "")[0],
    }));
  });
}

/**
 * The machine's Debian archive, told by a suite that is the running release's and a main component; updates and
 * security archives are passed over, and so are media that cannot carry another release.
 */
export function findDebianArchive(sources: readonly AptSource[], codename: string): AptSource | undefined {
  const releases = new Set([codename, "stable", "oldstable", "testing"]);
  return sources.find(
    (source) =>
      /^(https?|mirror\+\w+|tor\+https?):/.test(source.uri) &&
      source.suites.some((suite) => releases.has(suite)) &&
      source.components.includes("main"),
  );
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Fields of one stanza by lower-case name; continuation lines keep their line breaks. */
function parseStanza(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let name = "";
  for (const line of stanza.split("\n")) {
    if (line.startsWith("#")) continue;
    const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (field) {
      name = (field[1] ?? "").toLowerCase();
      fields.set(name, field[2] ?? "");
    } else if (name !== "" && /^\s/.test(line)) {
      fields.set(name, `${fields.get(name)}\n${line}`);
    }
  }
  return fields;
}

/** A key inside a deb822 field: each line is indented, and an empty line is a single dot. */
function unfoldKey(value: string): string {
  const lines = value.split("\n").map((line) => line.trim());
  return `${lines
    .map((line) => (line === "." ? "" : line))
    .join("\n")
    .trim()}\n`;
}
