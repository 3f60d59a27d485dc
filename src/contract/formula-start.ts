/**
 * How a text begins that a spreadsheet would take for a formula (OWASP, CSV Injection: also a line end, and the wide
 * forms of East Asian keyboards); its source means the same to PostgreSQL (docs, 9.7.3 Regular Expressions). Units,
 * names and notes come from others: in CSV they stand behind an apostrophe then, which a spreadsheet does not show.
 */
export const FORMULA_START = /^[=+@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20-]/;
