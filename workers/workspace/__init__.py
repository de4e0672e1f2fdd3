"""Workspace files: read with line numbers, compared with what is there, sent to the desks as commands."""
