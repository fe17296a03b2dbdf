"""May this build go to production? Project facts, checks, rehearsals, verdict, reports, signing."""
