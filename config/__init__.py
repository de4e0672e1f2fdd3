"""Settings, the topic catalogue and logging: what every worker reads before it starts."""
