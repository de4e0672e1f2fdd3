"""What was said before anybody here listened: having it fetched from the channel, and reading it."""
