"""The `tongdai` command: one module per group of commands; imports all the rest."""
