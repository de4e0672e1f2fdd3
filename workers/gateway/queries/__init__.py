"""What agents and page admins read: lists, conversations, transcripts, rosters. Postgres alone, read only."""
