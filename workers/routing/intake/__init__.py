"""Intake: every message once into its transcript, sessions opened and ended, the desk asked for an agent."""
