"""The words of Tongdai: models of every record on every topic, their ids, statuses and errors."""
