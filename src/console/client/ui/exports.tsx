/** A list as a file: links that download it. */
interface ExportsProps {
  /** Address of the list in the API. */
  readonly of: string;
  /** Its parameters. */
  readonly query: string;
  /** What is in the file, in words. */
  readonly what?: string;
}

export const Exports = ({ of, query, what = "All that the filters show" }: ExportsProps) => (
  <>
    {["csv", "ndjson"].map((format) => (
      <a
        key={format}
        class="button"
        download
        title={`${what}, as ${format.toUpperCase()}`}
        href={`${of}?${query}${query ? "&" : ""}format=${format}`}
      >
        Export {format.toUpperCase()}
      </a>
    ))}
  </>
);
