"""Plays the agents: they sign in at the gateway as anybody would, and remember what they were told."""
