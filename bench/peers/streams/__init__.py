"""Kafka Streams: an application in Java, run by the wheel's Java and compiled without a JDK."""
