/** What there is to say of a type of problem. */
export interface ProblemKind {
  /** HTTP status it comes with. */
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503 | 504;
  readonly title: string;
  /** What happened and what a client can do about it. */
  readonly about: string;
}
