/** How long passwords are, in characters. */

/** NIST SP 800-63B section 5.1.1. */
export const MIN_PASSWORD_LENGTH = 8;
export const MAX_PASSWORD_LENGTH = 1_024;
