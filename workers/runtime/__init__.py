"""The lane protocol and the loop that drives it: exactly once, across Kafka and Postgres. No word of chat in here."""
