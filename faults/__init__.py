"""Campaigns: everything that happens to machines, done to real workers while messages flow, then checked."""
