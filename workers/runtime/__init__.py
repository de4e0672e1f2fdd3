"""The lane protocol and the loop that drives it: exactly once across Kafka and Postgres, no word of chat."""
