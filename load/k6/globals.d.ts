/** What k6 has beside @types/k6: what is logged goes to the file of --console-output. */
declare const console: { log(line: string): void };
