/** Put before a program: with us it ends too, even when we are killed. */
const setpriv = Bun.which("setpriv");

/**
 * prctl(2), PR_SET_PDEATHSIG. A change of the user clears it, so it stands after what changes the user. Empty where there
 * is no setpriv.
 */
export const END_WITH_US: readonly string[] = setpriv ? [setpriv, "--pdeathsig", "KILL", "--"] : [];
