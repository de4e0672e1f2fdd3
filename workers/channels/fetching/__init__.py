"""Fetches customers' files from the channels that have them, before their addresses die."""
