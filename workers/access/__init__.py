"""What each worker needs of Postgres and Kafka, for operators who give each a user of its own."""
