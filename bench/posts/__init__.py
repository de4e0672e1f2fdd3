"""Webhooks as platforms post them, by a process of its own."""
