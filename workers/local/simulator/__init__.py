"""Plays the platforms: posts signed webhooks of invented customers, and remembers what was taken."""
