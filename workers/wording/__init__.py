"""Log lines in words: what the transcript keeps as code and parameters, as its reader is told it."""
