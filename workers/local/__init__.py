"""Everything of this system on one machine: an embedded Kafka and PostgreSQL for the demo and the tests."""
