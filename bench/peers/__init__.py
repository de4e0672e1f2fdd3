"""The other ways: each is a program of its own that drains the inbound topic until it is stopped."""
