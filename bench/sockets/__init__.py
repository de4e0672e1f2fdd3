"""Many agents at one gateway: clients in processes of their own, and what they are told."""
