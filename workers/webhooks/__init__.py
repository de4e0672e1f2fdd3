"""Webhooks out: events of a workspace, sent to URLs that its admins name."""
