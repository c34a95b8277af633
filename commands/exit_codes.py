"""How every command ends: one number for one meaning, for scripts. `docs/operating.md` has the same table."""

DONE, FAILED, USAGE, STOPPED, NOT_ALL, NOBODY = range(6)  # FAILED and USAGE are click's own

MEANINGS = {
    DONE: "All of it was done, and all is well",
    FAILED: "It could not be done; the last line says why",
    USAGE: "A command, option or argument that there is not; nothing was read or sent",
    STOPPED: "Stopped before its end: by our own checks, by a file that cannot be used, or half way",
    NOT_ALL: "It was done, and not all is well: records that Mixpanel, or a test that a destination, did not take,"
    " a check that fails, a difference, credentials that do not work, something that is left of a person",
    NOBODY: "The person that was asked for was never erased, and nothing is stored of them",
}
