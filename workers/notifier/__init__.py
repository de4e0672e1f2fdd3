"""The notifier: tells agents what concerns them, and keeps their lists and unread counts."""
