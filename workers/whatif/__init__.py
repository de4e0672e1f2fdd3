"""What a desk would have done under other rules: its recorded log, decided once more, touching nothing."""
